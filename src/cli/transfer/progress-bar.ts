/** Where progress is shown: a terminal, or a file that wants a line now and then. */
export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

const barWidth = 30;
const terminalEveryMs = 100;
const otherEveryMs = 10_000;

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Shows how far along work of a known length is, how fast it goes and how long it will take. */
export class ProgressBar {
  readonly #output: ProgressOutput;
  readonly #total: number;
  readonly #unit: string;
  readonly #started = performance.now();
  #shown = Number.NEGATIVE_INFINITY;

  constructor(output: ProgressOutput, total: number, unit: string) {
    this.#output = output;
    this.#total = total;
    this.#unit = unit;
  }

  /** `done` of the total; `items` since the start of this run. */
  update(done: number, items: number): void {
    const now = performance.now();
    if (now - this.#shown < (this.#output.isTTY === true ? terminalEveryMs : otherEveryMs)) return;
    this.#shown = now;
    this.#show(done, items, now);
  }

  end(done: number, items: number): void {
    this.#show(done, items, performance.now());
    if (this.#output.isTTY === true) this.#output.write("\n");
  }

  #show(done: number, items: number, now: number): void {
    const seconds = (now - this.#started) / 1000;
    const share = this.#total === 0 ? 1 : Math.min(1, done / this.#total);
    const filled = Math.round(share * barWidth);
    const bar = `[${"#".repeat(filled)}${".".repeat(barWidth - filled)}]`;
    const rate = seconds > 0 ? Math.round(items / seconds) : 0;
    const left = share > 0 && share < 1 ? `, ${duration((seconds / share) * (1 - share))} left` : "";
    const line = `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${items} ${this.#unit}, ${rate}/s${left}`;
    this.#output.write(this.#output.isTTY === true ? `\r${line}\u001b[K` : `${line}\n`);
  }
}
