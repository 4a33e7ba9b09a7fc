//! The first stage: walks a channel and brings its new messages in.
