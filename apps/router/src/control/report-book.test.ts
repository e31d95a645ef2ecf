import { expect, it } from "vitest";
import type { Channel } from "../channel.ts";
import type { Report } from "../core/report.ts";
import { EMPTY_COLOR } from "../core/report-sums.ts";
import { ReportBook } from "./report-book.ts";

/** A channel whose `collect` ends when the test says so, with what it says. */
function slowChannel() {
  const listeners: ((report: Report) => void)[] = [];
  const asked: ((workers: readonly number[]) => void)[] = [];
  const channel: Channel = {
    publish: () => {},
    onReport: (listener) => void listeners.push(listener),
    collect: () => new Promise((resolve) => asked.push(resolve)),
  };
  const tell = (report: Report) => {
    for (const listener of listeners) listener(report);
    return report;
  };
  return { book: new ReportBook(channel), tell, asked };
}

function counted(worker: number, answers: number): Report {
  const blue = { ...EMPTY_COLOR, assigned: answers, requests: { "GET 200": answers } };
  return { worker, epoch: 1, colors: { blue }, connections: 0 };
}

const answers = (book: ReportBook) => book.totals().blue!.requests["GET 200"];

it("counts nothing twice when a worker reports while another is still asked", async () => {
  const { book, tell, asked } = slowChannel();
  const refreshed = book.refresh();
  tell(counted(0, 9));
  tell(counted(0, 14));
  tell(counted(-1, 100));
  asked[0]!([0, -1]);
  await refreshed;
  tell(counted(0, 15));
  expect(answers(book)).toBe(115);
});

it("counts nothing twice of a worker that came while others were asked", async () => {
  const { book, tell, asked } = slowChannel();
  const refreshed = book.refresh();
  tell(counted(2, 5));
  asked[0]!([]);
  await refreshed;
  tell(counted(2, 6));
  expect(answers(book)).toBe(6);
});

it("counts nothing twice of a worker that went while two asked", async () => {
  const { book, tell, asked } = slowChannel();
  tell(counted(1, 7));
  const [first, second] = [book.refresh(), book.refresh()];
  asked[1]!([]);
  await second;
  asked[0]!([1]);
  await first;
  expect(answers(book)).toBe(7);
});
