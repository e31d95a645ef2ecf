import type { Store } from "../store.ts";
import type { TargetWatch } from "../target-watch.ts";

/** What a color runs, as far as its checks have said. */
export interface ColorIdentity {
  /** Empty where its targets differ or do not say. */
  readonly digest: string;
  readonly version: string;
  /** URLs of its targets, for those that do not say what they run. */
  readonly urls: string;
}

export function identityOf(store: Store, watch: TargetWatch, color: string): ColorIdentity {
  const targets = store.view.snapshot.colors.find(({ name }) => name === color)?.targets ?? [];
  const urls = targets.map(({ url }) => url);
  const sole = (key: "digest" | "version") => {
    const said = new Set(urls.map((url) => watch.lastCheck(url)?.[key] ?? ""));
    return said.size === 1 ? [...said][0]! : "";
  };
  return { digest: sole("digest"), version: sole("version"), urls: urls.join(" ") };
}

/** What is known of a color now, as long as it does not contradict what was known before. */
export function sameIdentity(before: ColorIdentity, now: ColorIdentity): ColorIdentity | undefined {
  if (before.digest !== "" && now.digest !== "") return before.digest === now.digest ? now : undefined;
  if (before.digest !== "") return before;
  return before.urls === now.urls ? now : undefined;
}
