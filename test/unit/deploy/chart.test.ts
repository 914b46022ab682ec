import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Compile } from "typebox/schema";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { variables } from "../../../src/config/variables.ts";
import { merged, renderChart } from "../../support/chart.ts";
import { deploymentTool, presence } from "../../support/deployment-tools.ts";
import { config } from "../config/load.ts";

const chart = join(import.meta.dirname, "../../../deploy/kubernetes/authkit-server");
const defaults: Record<string, unknown> = parse(readFileSync(join(chart, "values.yaml"), "utf8"));
const schema = Compile(JSON.parse(readFileSync(join(chart, "values.schema.json"), "utf8")));

const least = { issuer: "https://auth.example.com" };
const most = {
  ...least,
  config: "registration:\n  mode: open\n",
  tcpMigrateRequests: true,
  serviceMonitor: { enabled: true, labels: { release: "metrics" } },
  prometheusRule: { enabled: true, labels: { release: "metrics" } },
  grafanaDashboard: { enabled: true },
  image: { digest: `sha256:${"0".repeat(64)}` },
  secrets: { further: { AUTHKIT_TOTP_SECRET_KEY: "totp-secret-key", AUTHKIT_SMTP_URL: "smtp-url" } },
  autoscaling: { enabled: false },
  env: { AUTHKIT_LOG_LEVEL: "warn", AUTHKIT_ACCESS_LOG: false },
  networkPolicy: {
    ingressFrom: [{ podSelector: {} }],
    metricsFrom: [{ podSelector: { matchLabels: { app: "p" } } }],
    egress: [{ ports: [{ port: 5432 }] }],
  },
  imagePullSecrets: [{ name: "pull" }],
  tolerations: [{ key: "k", operator: "Exists" }],
  nodeSelector: { disk: "ssd" },
  affinity: { podAntiAffinity: {} },
};

/** One object of the rendered chart, or part of one, at a path of names and indexes. */
function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((inner, name) => Object(inner)[name], value);
}
function object(values: Readonly<Record<string, unknown>>, kind: string, name = "x-authkit"): unknown {
  const found = renderChart(values).find(
    (one) => one["kind"] === kind && at(one, "metadata", "name") === name,
  );
  expect(found, `${kind} ${name}`).toBeDefined();
  return found;
}

/** Environment of a pod's container by name. */
function environmentOf(pod: unknown): Record<string, unknown> {
  const list: unknown = at(pod, "containers", 0, "env");
  return Object.fromEntries(
    (Array.isArray(list) ? list : []).map((one) => [String(at(one, "name")), at(one, "value")]),
  );
}

describe("values", () => {
  test.each([
    ["the least", least],
    ["the most", most],
  ])("%s are allowed", (_, values) => {
    expect(schema.Check(merged(defaults, values))).toBe(true);
  });

  test.each([
    ["no issuer", {}],
    ["an issuer without TLS", { issuer: "http://auth.example.com" }],
    ["a misspelt name", { ...least, replica: 2 }],
    ["a misspelt name inside", { ...least, autoscaling: { enable: true } }],
    ["a grace period shorter than a drain", { ...least, terminationGracePeriodSeconds: 10 }],
    ["an environment variable that is none", { ...least, env: { "a-b": "1" } }],
    ["an environment variable of the chart itself", { ...least, env: { AUTHKIT_SHUTDOWN_TIMEOUT: "1h" } }],
    ["a secret that the chart takes anyway", { ...least, secrets: { further: { AUTHKIT_MGMT_TOKEN: "t" } } }],
    ["a digest that is none", { ...least, image: { digest: "latest" } }],
  ])("%s is refused", (_, values) => {
    expect(schema.Check(merged(defaults, values))).toBe(false);
  });
});

describe("the chart", () => {
  test("makes what a deployment needs, and no more than asked for", () => {
    const kinds = (values: Readonly<Record<string, unknown>>) =>
      renderChart(values)
        .map(({ kind }) => kind)
        .sort();
    expect(kinds(least)).toEqual([
      "Deployment",
      "HorizontalPodAutoscaler",
      "Job",
      "NetworkPolicy",
      "PodDisruptionBudget",
      "Service",
    ]);
    expect(kinds(most)).toEqual([
      "ConfigMap",
      "ConfigMap",
      "ConfigMap",
      "Deployment",
      "Job",
      "NetworkPolicy",
      "PodDisruptionBudget",
      "PrometheusRule",
      "Service",
      "ServiceMonitor",
    ]);
  });

  test("selects its pods by the same labels everywhere", () => {
    const labels = { "app.kubernetes.io/name": "authkit-server", "app.kubernetes.io/instance": "x" };
    const deployment = object(least, "Deployment");
    expect(at(deployment, "spec", "selector", "matchLabels")).toEqual(labels);
    expect(at(deployment, "spec", "template", "metadata", "labels")).toEqual(labels);
    expect(at(object(least, "Service"), "spec", "selector")).toEqual(labels);
    expect(at(object(least, "PodDisruptionBudget"), "spec", "selector", "matchLabels")).toEqual(labels);
    expect(at(object(least, "NetworkPolicy"), "spec", "podSelector", "matchLabels")).toEqual(labels);
    expect(at(object(most, "ServiceMonitor"), "spec", "selector", "matchLabels")).toEqual(labels);
  });

  test("runs without privileges, and drains before it is killed", () => {
    const pod = at(object(least, "Deployment"), "spec", "template", "spec");
    expect(at(pod, "automountServiceAccountToken")).toBe(false);
    expect(at(pod, "containers", 0, "securityContext")).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    });
    const shutdownSeconds = Number(defaults["shutdownSeconds"]);
    expect(shutdownSeconds).toBe(config({}).server.shutdownTimeoutMs / 1000);
    expect(environmentOf(pod)["AUTHKIT_SHUTDOWN_TIMEOUT"]).toBe(`${shutdownSeconds}s`);
    const preStop = Number(at(pod, "containers", 0, "lifecycle", "preStop", "exec", "command", 1));
    expect(at(pod, "terminationGracePeriodSeconds")).toBeGreaterThan(shutdownSeconds + preStop + 2);
  });

  test("the migration runs before the release's own objects exist, and brings its configuration", () => {
    const job = object(most, "Job", "x-authkit-migrate-1");
    const volumes = at(job, "spec", "template", "spec", "volumes");
    const named = Object(volumes).find((volume: unknown) => at(volume, "name") === "config");
    const map = object(most, "ConfigMap", String(at(named, "configMap", "name")));
    const hook = (of: unknown, name: string) => at(of, "metadata", "annotations", `helm.sh/${name}`);
    expect(hook(job, "hook")).toBe("pre-install,pre-upgrade");
    expect(hook(map, "hook")).toBe(hook(job, "hook"));
    expect(Number(hook(map, "hook-weight"))).toBeLessThan(0);
    expect(at(map, "data", "authkit.yaml")).toBe(at(object(most, "ConfigMap"), "data", "authkit.yaml"));
  });

  test("an issuer is required, and a grace period in which a drain can end", () => {
    expect(() => renderChart({})).toThrow("issuer is required");
    const short = { ...least, terminationGracePeriodSeconds: 60, shutdownSeconds: 55 };
    expect(() => renderChart(short)).toThrow("terminationGracePeriodSeconds must be longer");
    expect(() => renderChart({ ...short, terminationGracePeriodSeconds: 61 })).not.toThrow();
  });

  test("the migration is placed, pulled and bounded like the pods it prepares for", () => {
    const job = at(object(most, "Job", "x-authkit-migrate-1"), "spec", "template", "spec");
    const pod = at(object(most, "Deployment"), "spec", "template", "spec");
    for (const name of [
      "imagePullSecrets",
      "nodeSelector",
      "tolerations",
      "affinity",
      "automountServiceAccountToken",
    ]) {
      expect(at(job, name), name).toBeDefined();
      expect(at(job, name)).toEqual(at(pod, name));
    }
    for (const name of ["image", "env", "securityContext", "volumeMounts"])
      expect(at(job, "containers", 0, name)).toEqual(at(pod, "containers", 0, name));
    expect(at(job, "containers", 0, "resources")).toEqual(at(defaults, "migration", "resources"));
    expect(at(job, "containers", 0, "resources", "limits", "memory")).toBeDefined();
  });

  test("takes further secrets as files, for settings that are read from one", () => {
    const pod = at(object(most, "Deployment"), "spec", "template", "spec");
    expect(environmentOf(pod)).toMatchObject({
      AUTHKIT_TOTP_SECRET_KEY_FILE: "/etc/authkit/secrets/totp-secret-key",
      AUTHKIT_SMTP_URL_FILE: "/etc/authkit/secrets/smtp-url",
    });
    const offered = [
      ...readFileSync(join(chart, "values.yaml"), "utf8").matchAll(/^ {2}# {3}(AUTHKIT_\w+): /gm),
    ].map(([, name]) => name);
    expect(offered).toHaveLength(4);
    const fromFile = Object.values(variables).flatMap(({ name, file }) => (file ? [name] : []));
    expect(fromFile).toEqual(expect.arrayContaining(offered));
  });

  test("an image can be named by its digest", () => {
    const image = (values: Readonly<Record<string, unknown>>) =>
      at(object(values, "Deployment"), "spec", "template", "spec", "containers", 0, "image");
    expect(image(least)).toBe("authkit-server:0.1.0");
    expect(image(most)).toBe(`authkit-server:0.1.0@sha256:${"0".repeat(64)}`);
  });

  test("lets nodes be drained at any number of replicas", () => {
    expect(at(object(least, "PodDisruptionBudget"), "spec", "maxUnavailable")).toBe(1);
    expect(at(object(least, "PodDisruptionBudget"), "spec", "minAvailable")).toBeUndefined();
  });

  test("keeps the metrics to the cluster, and outgoing connections to what is asked for", () => {
    const policy = (values: Readonly<Record<string, unknown>>) => at(object(values, "NetworkPolicy"), "spec");
    expect(at(policy(least), "policyTypes")).toEqual(["Ingress"]);
    expect(at(policy(least), "ingress")).toEqual([
      { ports: [{ port: 8080 }] },
      { ports: [{ port: 9090 }], from: [{ namespaceSelector: {} }] },
    ]);
    const closed = policy({ ...least, networkPolicy: { metricsFrom: [] } });
    expect(at(closed, "ingress")).toEqual([{ ports: [{ port: 8080 }] }]);
    expect(at(policy(most), "policyTypes")).toEqual(["Ingress", "Egress"]);
    expect(at(policy(most), "egress")).toEqual([{ ports: [{ port: 5432 }] }]);
  });

  test("brings alert rules and dashboard to who looks for them by labels", () => {
    const file = (name: string) => readFileSync(join(chart, "monitoring", name), "utf8");
    const rule = object(most, "PrometheusRule");
    expect(at(rule, "metadata", "labels")).toEqual({ release: "metrics" });
    expect(at(rule, "spec")).toEqual(parse(file("alerts.yaml")));
    expect(at(object(most, "ServiceMonitor"), "metadata", "labels")).toEqual({ release: "metrics" });
    const dashboard = object(most, "ConfigMap", "x-authkit-dashboard");
    expect(at(dashboard, "metadata", "labels")).toEqual({ grafana_dashboard: "1" });
    expect(JSON.parse(String(at(dashboard, "data", "authkit-server.json")))).toEqual(
      JSON.parse(file("grafana-dashboard.json")),
    );
  });
});

const helm = deploymentTool("helm");

/** What Helm itself makes of the chart; its own values are those of the chart. */
function helmTemplate(values: Readonly<Record<string, unknown>>): {
  readonly status: number | null;
  readonly text: string;
} {
  const { status, stdout } = spawnSync(helm ?? "", ["template", "x", chart, "-f", "-"], {
    input: JSON.stringify(values),
    encoding: "utf8",
  });
  return { status, text: stdout };
}

describe(`Helm itself (${presence("helm")})`, () => {
  test.runIf(helm).each([
    ["the least", least],
    ["the most", most],
  ])("renders %s as the renderer of the tests does", (_, values) => {
    const theirs = parseAllDocuments(helmTemplate(values).text, { version: "1.1" }).flatMap((one) =>
      "toJS" in one ? [one.toJS()] : [],
    );
    const order = (list: readonly unknown[]) =>
      list
        .filter((one) => one !== null)
        .sort((a, b) =>
          `${at(a, "kind")}${at(a, "metadata", "name")}`.localeCompare(
            `${at(b, "kind")}${at(b, "metadata", "name")}`,
          ),
        );
    expect(order([...renderChart(values)])).toEqual(order(theirs));
  });

  test.runIf(helm)("finds nothing wrong with the chart, and refuses wrong values", () => {
    const lint = spawnSync(helm ?? "", ["lint", "--strict", chart, "--set", "issuer=https://a.example"], {
      encoding: "utf8",
    });
    expect(lint.status, lint.stdout + lint.stderr).toBe(0);
    expect(helmTemplate({ issuer: "http://a.example" }).status).not.toBe(0);
    expect(helmTemplate({ ...least, terminationGracePeriodSeconds: 30, preStopSeconds: 10 }).status).not.toBe(
      0,
    );
  });
});

const validate = deploymentTool("kubernetes-validate");

describe(`the objects fit Kubernetes' own schemas (${presence("kubernetes-validate")})`, () => {
  // The oldest that is still maintained somewhere, and the newest known to the tool.
  test.runIf(validate).each(["1.30.0", "1.37.0"])("of version %s", (version) => {
    const directory = mkdtempSync(join(tmpdir(), "authkit-chart-"));
    try {
      const file = join(directory, "objects.yaml");
      for (const values of [least, most]) {
        const text = renderChart(values)
          .map((one) => stringify(one, { version: "1.1" }))
          .join("---\n");
        writeFileSync(file, text);
        const { status, stdout, stderr } = spawnSync(validate ?? "", ["-k", version, "--strict", file], {
          encoding: "utf8",
        });
        expect(status, stdout + stderr).toBe(0);
        expect(stdout + stderr).toContain("deployment/x-authkit");
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
