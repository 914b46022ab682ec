import { currentBundle } from "../../platform/program/bundle.ts";
import { mayKeepBundle } from "../../platform/program/make.ts";
import { type Finding, ok, warning } from "./finding.ts";

/** Whether the server starts from a bundle of these sources, or would make one. */
export async function checkProgram(): Promise<Finding[]> {
  if ((await currentBundle()) !== undefined) return [ok("program: bundled")];
  if (mayKeepBundle()) return [ok("program: bundled at the next start")];
  return [
    warning(
      "program: runs from its sources, which takes several times as long to start",
      "run `authkit-server prepare` as the owner of the installation",
    ),
  ];
}
