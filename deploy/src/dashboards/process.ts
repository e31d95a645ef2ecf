import { build, dashboard } from "./dashboard.ts";
import { lines, stat } from "./panel.ts";

const OURS = '{job=~"sluice-.*",instance=~"$instance"}';
const HERE = '{instance=~"$instance"}';
const WORKER = "{{instance}} worker {{worker}}";

const builder = dashboard({
  uid: "sluice-process",
  title: "Sluice: Process",
  description: "The router, its workers and the model APIs as processes of the machine.",
  variable: { label: "instance", of: 'process_start_time_seconds{job=~"sluice-.*"}' },
});

builder
  .withPanel(
    stat({
      title: "Up since",
      description: "Time since each process was started.",
      unit: "s",
      width: 12,
      queries: [[`time() - process_start_time_seconds${OURS}`, "{{instance}}"]],
    }),
  )
  .withPanel(
    stat({
      title: "Versions",
      description: "The router's version, and the Node that each process runs on.",
      unit: "none",
      width: 12,
      queries: [
        [`sluice_build_info${HERE}`, "{{instance}} {{version}}"],
        [`nodejs_version_info${OURS}`, "{{instance}} Node {{version}}"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Event-loop lag",
      description: "How late timers are: 99 of 100 are less late, and the mean.",
      unit: "s",
      queries: [
        [`nodejs_eventloop_lag_p99_seconds${OURS}`, "{{instance}} p99"],
        [`nodejs_eventloop_lag_mean_seconds${OURS}`, "{{instance}} mean"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Event loop of the workers",
      description: "Share of time in which a data-plane process was busy; near 100 % requests wait.",
      unit: "percentunit",
      max: 1,
      thresholds: [
        [0, "transparent"],
        [0.9, "red"],
      ],
      queries: [[`rate(sluice_worker_event_loop_seconds_total${HERE}[$__rate_interval])`, WORKER]],
    }),
  )
  .withPanel(
    lines({
      title: "CPU",
      description: "Processors in use. A router's own data plane is its worker 0, in the same process.",
      unit: "short",
      queries: [
        [`rate(process_cpu_seconds_total${OURS}[$__rate_interval])`, "{{instance}}"],
        [`rate(sluice_worker_cpu_seconds_total${HERE}[$__rate_interval])`, WORKER],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Memory",
      description: "Resident memory.",
      unit: "bytes",
      queries: [
        [`process_resident_memory_bytes${OURS}`, "{{instance}}"],
        [`sluice_worker_resident_memory_bytes${HERE}`, WORKER],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Heap",
      description: "JavaScript heap in use.",
      unit: "bytes",
      queries: [
        [`nodejs_heap_size_used_bytes${OURS}`, "{{instance}}"],
        [`sluice_worker_heap_used_bytes${HERE}`, WORKER],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Garbage collection",
      description: "Share of time spent on it, by kind.",
      unit: "percentunit",
      queries: [
        [
          `sum by (instance, kind) (rate(nodejs_gc_duration_seconds_sum${OURS}[$__rate_interval]))`,
          "{{instance}} {{kind}}",
        ],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Client connections",
      description: "Open connections of clients, by worker of the router.",
      unit: "short",
      queries: [[`sluice_client_connections${HERE}`, WORKER]],
    }),
  )
  .withPanel(
    lines({
      title: "Sockets",
      description: "TCP sockets that a process has open, to clients, targets and scrapers.",
      unit: "short",
      queries: [
        [
          `sum by (instance) (nodejs_active_resources{job=~"sluice-.*",instance=~"$instance",type="TCPSocketWrap"})`,
          "{{instance}}",
        ],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "File descriptors",
      description: "Open ones as a share of what the process may have; at 100 % it takes no connections.",
      unit: "percentunit",
      max: 1,
      thresholds: [
        [0, "transparent"],
        [0.8, "red"],
      ],
      queries: [[`process_open_fds${OURS} / process_max_fds${OURS}`, "{{instance}}"]],
    }),
  );

export const processes = build(builder);
