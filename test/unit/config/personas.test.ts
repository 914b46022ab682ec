import { describe, expect, test } from "vitest";
import { config, fromYaml, problems, yamlProblems } from "./load.ts";

const example = `
personas:
  - name: root
    roles: [{name: support, permissions: ["root:resources:read","root:users:ban"], requires_mfa: true}]
  - name: org
    parent: root
    capabilities: {api_keys: true, remote_applications: true, custom_roles: true}
    catalog: ["org:members:read","org:members:manage","org:credentials:read","org:credentials:manage","org:billing:*"]
    require_consent: true
    roles:
      - {name: member, permissions: ["org:members:read"]}
      - {name: admin, permissions: ["org:members:read","org:members:manage"]}
api_keys: {prefix: acme, max_ttl: 8760h}
`;

const personas = [
  {
    name: "root",
    parent: "",
    roles: [{ name: "support", permissions: ["root:resources:read", "root:users:ban"], requiresMfa: true }],
    capabilities: { apiKeys: false, remoteApplications: false, customRoles: false },
    ...{ catalog: [], requireConsent: false, selfServiceCreation: false },
  },
  {
    name: "org",
    parent: "root",
    roles: [
      { name: "member", permissions: ["org:members:read"], requiresMfa: false },
      { name: "admin", permissions: ["org:members:read", "org:members:manage"], requiresMfa: false },
    ],
    capabilities: { apiKeys: true, remoteApplications: true, customRoles: true },
    catalog: [
      "org:members:read",
      "org:members:manage",
      "org:credentials:read",
      "org:credentials:manage",
      "org:billing:*",
    ],
    ...{ requireConsent: true, selfServiceCreation: false },
  },
];

test("the declarative file of its own is read, in YAML and in JSON", () => {
  const made = config({ AUTHKIT_RBAC_FILE: "rbac.yaml" }, { "rbac.yaml": example });
  expect(made.personas).toEqual(personas);
  expect(made.apiKeys).toEqual({ prefix: "acme", maxTtlSeconds: 31_536_000 });
  const json = '{"personas":[{"name":"org","parent":"root"}]}';
  expect(config({ AUTHKIT_RBAC_FILE: "rbac.json" }, { "rbac.json": json }).personas).toMatchObject([
    { name: "org", roles: [] },
  ]);
  expect(problems({ AUTHKIT_RBAC_FILE: "r" }, { r: "providers: []" })).toEqual([
    expect.stringContaining("r:1: providers: is not a known setting"),
  ]);
});

test("so is the main file's section", () => {
  expect(fromYaml(example).personas).toEqual(personas);
});

test("root may be declared more than once, with capabilities in one place", () => {
  const two = "personas:\n- {name: root, roles: [{name: a}]}\n- {name: root, capabilities: {api_keys: true}}";
  expect(fromYaml(two).personas).toHaveLength(2);
  expect(yamlProblems(`${two}\n- {name: root, capabilities: {custom_roles: true}}`)).toEqual([
    expect.stringContaining("gives capabilities to root in more than one place"),
  ]);
});

describe("the declarations of root are judged together", () => {
  test.each([
    [
      "- {name: root, roles: [{name: a}]}\n- {name: root, roles: [{name: b}, {name: a}]}",
      "authkit.yaml:3: personas[1].roles: declares the role a of persona root twice; keep one, or rename it",
    ],
    [
      "- {name: root, capabilities: {custom_roles: true}, catalog: ['root:a:*']}\n- {name: root, roles: [{name: a, permissions: ['root:a:b']}]}",
      "authkit.yaml:3: personas[1].roles: gives the role a of persona root the grant root:a:b, which the catalog lacks; add it to the catalog",
    ],
    [
      "- {name: root, roles: [{name: a, permissions: ['root:a:b']}]}\n- {name: root, catalog: ['root:a:*']}\n- {name: root, capabilities: {custom_roles: true}}",
      "authkit.yaml:2: personas[0].roles: gives the role a of persona root the grant root:a:b, which the catalog lacks; add it to the catalog",
    ],
  ])("%s", (entries, problem) => {
    expect(yamlProblems(`personas:\n${entries}`)).toEqual([problem]);
  });

  test("a grant another part's catalogue has is no problem", () => {
    const yaml =
      "personas:\n- {name: root, capabilities: {custom_roles: true}, catalog: ['root:a:b']}\n" +
      "- {name: root, catalog: ['root:c:*'], roles: [{name: a, permissions: ['root:a:b', 'root:c:*']}]}";
    expect(fromYaml(yaml).personas).toHaveLength(2);
  });
});

describe("groups made by users themselves", () => {
  test("may be bound to a pattern and kept from reserved names", () => {
    const org = (slugs: string) =>
      `personas:\n- {name: root, roles: [{name: staff}]}\n- {name: org, parent: root, self_service_creation: true, self_service_slugs: ${slugs}}`;
    expect(
      fromYaml(org("{pattern: '[a-z]{3,}', reserved: [press], reserved_role: staff}")).personas[1]
        ?.selfServiceSlugs,
    ).toEqual({ pattern: "[a-z]{3,}", reserved: ["press"], reservedRole: "staff" });
    expect(fromYaml(org("{}")).personas[1]?.selfServiceSlugs).toEqual({
      pattern: undefined,
      reserved: [],
      reservedRole: "owner",
    });
    expect(yamlProblems(org("{pattern: '['}"))).toEqual([
      expect.stringContaining("is no regular expression"),
    ]);
    expect(yamlProblems(org("{reserved: [A]}"))).toEqual([expect.stringContaining("is no slug")]);
    expect(yamlProblems(org("{reserved_role: chief}"))).toEqual([
      expect.stringContaining("names chief, no role of root; use one of owner, staff"),
    ]);
    expect(
      yamlProblems("personas:\n- {name: org, parent: root, self_service_slugs: {reserved: [a]}}"),
    ).toEqual([expect.stringContaining("is set for persona org, whose groups users cannot create")]);
  });

  test("need a persona directly below root", () => {
    const org = "- {name: org, parent: root, self_service_creation: true}";
    expect(fromYaml(`personas:\n${org}`).personas[0]?.selfServiceCreation).toBe(true);
    expect(
      yamlProblems(`personas:\n${org}\n- {name: team, parent: org, self_service_creation: true}`),
    ).toEqual([
      "authkit.yaml:3: personas[1].self_service_creation: is on for persona team, which is not directly below root; remove it, or declare `parent: root`",
    ]);
    expect(yamlProblems("personas: [{name: root, self_service_creation: true}]")).toEqual([
      expect.stringContaining("personas[0].self_service_creation: is on for persona root"),
    ]);
  });
});

describe("refusals", () => {
  test.each([
    ["{name: Org, parent: root}", 'personas[0].name: "Org" is not a valid name'],
    ["{name: my_org, parent: root}", 'personas[0].name: "my_org" is not a valid name'],
    [`{name: ${"a".repeat(65)}, parent: root}`, "is not a valid name"],
    ["{parent: root}", "personas[0]: lacks name"],
    ["{name: org}", "lacks the parent of persona org"],
    ["{name: org, parent: org}", "makes persona org its own parent"],
    ["{name: org, parent: tenant}", "names the undeclared parent tenant of persona org"],
    ["{name: root, parent: org}", "gives root a parent"],
    ["{name: user, parent: root}", "names a persona user, the first segment of a fixed route"],
    ["{name: org, parent: root}, {name: org, parent: root}", "declares the persona org twice"],
    ["{name: org, parent: root, roles: [{name: a}, {name: a}]}", "declares the role a of persona org twice"],
    [
      "{name: org, parent: root, roles: [{name: Super_Admin}]}",
      'personas[0].roles[0].name: "Super_Admin" is not a valid name',
    ],
    ["{name: org, parent: root, roles: [{permissions: []}]}", "personas[0].roles[0]: lacks name"],
    [
      "{name: org, parent: root, roles: [{name: a, permissions: ['team:x:y']}]}",
      "gives the role a of persona org the foreign grant team:x:y",
    ],
    [
      "{name: org, parent: root, roles: [{name: owner, permissions: ['org:x:y']}]}",
      "declares the role owner of persona org with other grants than org:*",
    ],
    [
      "{name: org, parent: root, roles: [{name: owner, permissions: ['org:*', 'org:x:y']}]}",
      "with other grants than org:*",
    ],
    ["{name: org, parent: root, catalog: ['team:*']}", "has the foreign grant team:* in the catalog"],
    [
      "{name: org, parent: root, capabilities: {custom_roles: true}, catalog: ['org:a:*'], roles: [{name: a, permissions: ['org:a:b']}]}",
      "gives the role a of persona org the grant org:a:b, which the catalog lacks",
    ],
    ["{name: org, parent: root, colour: red}", "personas[0].colour: is not a known setting"],
    [
      "{name: org, parent: root, capabilities: {api_key: true}}",
      "personas[0].capabilities.api_key: is not a known setting; did you mean api_keys?",
    ],
    ["{name: org, parent: root, require_consent: sometimes}", "personas[0].require_consent"],
  ])("%s", (entries, message) => {
    expect(yamlProblems(`personas: [${entries}]`)).toEqual([expect.stringContaining(message)]);
  });

  test.each([
    "",
    "*",
    "*:a:b",
    "org",
    "org:members",
    "org:*:read",
    "org:a:b:c",
    "Org:a:b",
    "org:a_b:c",
    "org:a:B",
    ":a:b",
    "org::b",
  ])("the grant %j", (grant) => {
    const yaml = `personas: [{name: org, parent: root, roles: [{name: a, permissions: [${JSON.stringify(grant)}, "org:x:y"]}]}]`;
    // An empty element is dropped like an empty element of any list.
    expect(yamlProblems(yaml)).toHaveLength(grant === "" ? 0 : 1);
  });

  test.each(["org:*", "org:members:*", "org:members:read", "org:self:invoke"])(
    "the grant %j is accepted",
    (grant) => {
      expect(
        yamlProblems(`personas: [{name: org, parent: root, roles: [{name: a, permissions: ["${grant}"]}]}]`),
      ).toEqual([]);
    },
  );

  test("circles of parents", () => {
    const found = yamlProblems(
      "personas:\n- {name: a, parent: c}\n- {name: b, parent: a}\n- {name: c, parent: b}\n- {name: d, parent: c}",
    );
    expect(found).toHaveLength(3);
    expect(found[0]).toBe(
      "authkit.yaml:2: personas[0].parent: has the persona a in a circle of parents; let one of them be contained in root",
    );
  });

  test("owner may be declared with exactly its grant", () => {
    const yaml =
      "personas: [{name: org, parent: root, roles: [{name: owner, permissions: ['org:*'], requires_mfa: true}]}]";
    expect(fromYaml(yaml).personas[0]?.roles).toEqual([
      { name: "owner", permissions: ["org:*"], requiresMfa: true },
    ]);
  });
});
