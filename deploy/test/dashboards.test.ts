import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dashboards, toJson } from "../src/dashboards/index.ts";
import { DASHBOARDS, DEPLOY, readYaml } from "./files.ts";
import { panelsOf, queriesOf, readDashboard } from "./grafana.ts";

const files = readdirSync(DASHBOARDS);
const provisioned = (path: string) => readYaml(join(DEPLOY, "grafana/provisioning", path));
const { datasources } = provisioned("datasources/prometheus.yml") as {
  datasources: { uid: string; type: string; jsonData: { timeInterval: string } }[];
};
const source = { type: datasources[0]!.type, uid: datasources[0]!.uid };

it("there are the three dashboards and no other", () => {
  expect(files.toSorted()).toEqual(Object.keys(dashboards).toSorted());
  const uids = files.map((file) => readDashboard(file).uid);
  expect(uids.toSorted()).toEqual(["sluice-model", "sluice-process", "sluice-release"]);
});

it("Grafana finds them where compose puts them, and knows how often Prometheus scrapes", () => {
  const { providers } = provisioned("dashboards/sluice.yml") as {
    providers: { options: { path: string } }[];
  };
  expect(providers[0]!.options.path).toBe("/var/lib/grafana/dashboards");
  const { global } = readYaml(join(DEPLOY, "prometheus/prometheus.yml")) as {
    global: { scrape_interval: string };
  };
  expect(datasources[0]!.jsonData.timeInterval).toBe(global.scrape_interval);
});

describe.for(files)("%s", (file) => {
  const dashboard = readDashboard(file);
  const panels = panelsOf(dashboard);

  it("is what `npm run dashboards` writes", () => {
    expect(readFileSync(join(DASHBOARDS, file), "utf8")).toBe(toJson(dashboards[file]!));
  });

  it("has panels with numbers of their own that do not lie on one another", () => {
    const ids = panels.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
    const taken = new Set<string>();
    for (const { gridPos, title } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), `${title} lies on another panel`).toBe(false);
          taken.add(`${x} ${y}`);
        }
    }
  });

  it("says of each panel what it shows, in which unit and from where", () => {
    const titles = panels.map(({ title }) => title);
    expect(titles).toEqual([...new Set(titles)]);
    for (const { title, description, datasource, fieldConfig } of panels) {
      expect(title).toMatch(/\S/);
      expect(description, title).toMatch(/\.$/);
      expect(fieldConfig.defaults.unit, title).toMatch(/\S/);
      expect(fieldConfig.defaults.thresholds.steps[0]!.value, title).toBeNull();
      expect(datasource, title).toEqual(source);
    }
  });

  it("draws blue in blue and green in green", () => {
    for (const { title, type, fieldConfig } of panels) {
      if (type === "state-timeline") continue; // up and down are its colors
      for (const color of ["blue", "green"]) {
        const override = fieldConfig.overrides.find(({ matcher }) => matcher.options === `/\\b${color}\\b/`);
        const value = { mode: "fixed", fixedColor: color };
        expect(override?.properties, title).toContainEqual({ id: "color", value });
      }
    }
  });

  it("asks the provisioned data source, with windows that fit every scrape interval", () => {
    const queries = queriesOf(dashboard);
    expect(queries.length).toBeGreaterThan(panels.length);
    for (const { datasource, expr } of queries) {
      expect(datasource, expr).toEqual(source);
      expect(expr).not.toMatch(/\[\d/);
    }
  });

  it("marks every change", () => {
    const names = dashboard.annotations.list.map(({ name }) => name);
    expect(names).toEqual([
      "Weights changed",
      "Rollout decided",
      "Requests held up",
      "Routing table changed",
      "Target up or down",
      "Version started",
    ]);
  });
});
