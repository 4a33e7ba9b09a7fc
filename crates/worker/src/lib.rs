//! The runner that every stage shares: claim, heartbeat, cancel, time limit, commit, publish, retry, drain.
