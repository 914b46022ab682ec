const shownBytes = 5;

/** A destination of codes as strangers may see it: all but the last five bytes are stars; five or fewer stay as they are. */
export function maskDestination(destination: string): string {
  const bytes = Buffer.from(destination);
  if (bytes.length <= shownBytes) return destination;
  const shown = bytes.subarray(-shownBytes).toString("utf8").replaceAll("\ufffd", "*");
  return "*".repeat(bytes.length - shownBytes) + shown;
}
