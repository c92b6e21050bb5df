import type { Migration } from './migration.ts'

/** What a node knows of revocations beside the capability file: since when, from whom, by what proof, how current. */
export const revocations: Migration = {
  version: 2,
  title: 'revocations with their proofs, the age of that knowledge, and what grants rest on',
  sql: `
    CREATE TABLE revocations (
      key TEXT PRIMARY KEY,
      revocation TEXT NOT NULL,
      proof TEXT,
      learnt_from TEXT NOT NULL,
      learnt_at_ms INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE revocation_knowledge (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      current_at_ms INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE grant_bases (
      subject TEXT PRIMARY KEY,
      links TEXT NOT NULL,
      seen_at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX grant_bases_by_age ON grant_bases (seen_at_ms);
  `
}
