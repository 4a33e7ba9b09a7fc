//! The third stage: folds a batch's knowledge into the channel's graph.
