/** What this bench reads of the router's state. */
export interface AdminAnswer {
  readonly colors: readonly { readonly targets: readonly { readonly health: string }[] }[];
  readonly weights: Readonly<Record<string, number>>;
}

/** Asks a router on this machine; with a body it posts. Rejects with what it says. */
export async function adminCall(port: number, path: string, body?: object): Promise<AdminAnswer> {
  const headers = { "Content-Type": "application/json" };
  const init = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
  if (answer.ok) return (await answer.json()) as AdminAnswer;
  throw new Error(`${path} is answered ${answer.status}: ${await answer.text()}`);
}

/** Resolves once every target takes traffic. */
export function untilUp(port: number): Promise<void> {
  const isUp = ({ targets }: AdminAnswer["colors"][number]) => targets.every(({ health }) => health === "up");
  return until(async () => (await adminCall(port, "/admin/state")).colors.every(isUp));
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error("the router is not ready to be measured after 10 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
