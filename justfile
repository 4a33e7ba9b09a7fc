# The usual commands. Each is one line that can be typed without `just` as well.

# everything on the bundled sample channel
demo:
    cargo run --release -- demo

# every test there is
test:
    scripts/test

# the tests of one crate, quickly
test-crate crate:
    cargo test -p {{crate}}

# what the rules find in the sample channel, against the answer key
answer-key:
    cargo test -p extraction --test answer_key -- --nocapture

# what this machine reaches with an export
bench export:
    cargo run --release -- bench {{export}}

# look again at changed pages of the sample channel's wiki
review-snapshots:
    INSTA_UPDATE=always cargo test -p system-tests --test sample_wiki

# bans, licences and sources of all dependencies
deny:
    cargo deny check bans licenses sources
