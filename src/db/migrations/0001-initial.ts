import type { Migration } from './migration.ts'

/** Everything the first release remembers. STRICT: SQLite otherwise keeps any type in any column. */
export const initial: Migration = {
  version: 1,
  title: 'onboarding, reservations, allocations, deployments and their events',
  sql: `
    CREATE TABLE onboarding (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      resources TEXT NOT NULL,
      onboarded_at_ms INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE reservations (
      allocation_id TEXT PRIMARY KEY,
      ensemble_id TEXT NOT NULL,
      node_id TEXT NOT NULL,
      owner TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('committed', 'allocated')),
      resources TEXT NOT NULL,
      ports TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL,
      expires_at_ms INTEGER
    ) STRICT;
    CREATE INDEX reservations_by_ensemble ON reservations (ensemble_id);

    CREATE TABLE allocations (
      id TEXT PRIMARY KEY,
      ensemble_id TEXT NOT NULL,
      node_id TEXT NOT NULL,
      orchestrator TEXT NOT NULL,
      status TEXT NOT NULL,
      spec TEXT NOT NULL,
      start_options TEXT,
      actor_key BLOB NOT NULL,
      execution TEXT,
      result TEXT,
      termination_reported INTEGER NOT NULL,
      created_at_ms INTEGER NOT NULL,
      updated_at_ms INTEGER NOT NULL,
      started_at_ms INTEGER,
      ended_at_ms INTEGER
    ) STRICT;
    CREATE INDEX allocations_by_ensemble ON allocations (ensemble_id);

    CREATE TABLE deployments (
      id TEXT PRIMARY KEY,
      status TEXT NOT NULL,
      ensemble TEXT NOT NULL,
      manifest TEXT,
      actor_key BLOB NOT NULL,
      requested_by TEXT NOT NULL,
      metadata TEXT NOT NULL,
      error TEXT,
      deadline_ms INTEGER NOT NULL,
      created_at_ms INTEGER NOT NULL,
      updated_at_ms INTEGER NOT NULL,
      completed_at_ms INTEGER
    ) STRICT;
    CREATE INDEX deployments_by_status ON deployments (status);
    CREATE INDEX deployments_by_creation ON deployments (created_at_ms);
    CREATE INDEX deployments_by_update ON deployments (updated_at_ms);

    CREATE TABLE deployment_events (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      deployment_id TEXT NOT NULL,
      -- Counts the events of one deployment, so that the oldest can be dropped without counting them.
      ordinal INTEGER NOT NULL,
      at_ms INTEGER NOT NULL,
      type TEXT NOT NULL,
      data TEXT NOT NULL,
      UNIQUE (deployment_id, ordinal)
    ) STRICT;
    CREATE INDEX deployment_events_in_order ON deployment_events (deployment_id, sequence);
  `
}
