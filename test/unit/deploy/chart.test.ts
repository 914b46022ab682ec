import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Compile } from "typebox/schema";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { merged, renderChart } from "../../support/chart.ts";
import { config } from "../config/load.ts";

const chart = join(import.meta.dirname, "../../../deploy/kubernetes/authkit-server");
const defaults: Record<string, unknown> = parse(readFileSync(join(chart, "values.yaml"), "utf8"));
const schema = Compile(JSON.parse(readFileSync(join(chart, "values.schema.json"), "utf8")));

const least = { issuer: "https://auth.example.com" };
const most = {
  ...least,
  config: "registration:\n  mode: open\n",
  tcpMigrateRequests: true,
  serviceMonitor: { enabled: true },
  autoscaling: { enabled: false },
  env: { AUTHKIT_LOG_LEVEL: "warn", AUTHKIT_ACCESS_LOG: false },
  networkPolicy: {
    ingressFrom: [{ podSelector: {} }],
    metricsFrom: [{ podSelector: { matchLabels: { app: "p" } } }],
  },
  imagePullSecrets: [{ name: "pull" }],
  tolerations: [{ key: "k", operator: "Exists" }],
  nodeSelector: { disk: "ssd" },
  affinity: { nodeAffinity: {} },
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
      "Deployment",
      "Job",
      "NetworkPolicy",
      "PodDisruptionBudget",
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
    const shutdownSeconds = config({}).server.shutdownTimeoutMs / 1000;
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

  test("an issuer is required", () => {
    expect(() => renderChart({})).toThrow("issuer is required");
  });
});

const helm = spawnSync("helm", ["version", "--short"], { encoding: "utf8" }).status === 0;

test(`helm itself renders the same (${helm ? "present" : "not installed: the renderer of the tests stands alone"})`, () => {
  if (!helm) return;
  const directory = mkdtempSync(join(tmpdir(), "authkit-chart-"));
  try {
    for (const values of [least, most]) {
      const file = join(directory, "values.json");
      writeFileSync(file, JSON.stringify(values));
      const text = execFileSync("helm", ["template", "x", chart, "-f", file], { encoding: "utf8" });
      const theirs = parseAllDocuments(text, { version: "1.1" }).flatMap((one) =>
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
    }
    expect(spawnSync("helm", ["lint", chart, "--set", "issuer=https://a.example"]).status).toBe(0);
    expect(spawnSync("helm", ["template", "x", chart, "--set", "issuer=http://a.example"]).status).not.toBe(
      0,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
