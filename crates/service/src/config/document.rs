//! The documented file: every setting, what it does and may be, and its default.

use std::fmt::Write as _;

use domain::Stage;

use super::{
    setting::{Allowed, Setting},
    table::TABLE,
};

/// Longest line of text.
const WIDTH: usize = 110;

const HEAD: &str = "\
# Every setting of Atlas Sync, with its default. A file like this is read where --config or ATLAS_CONFIG
# names it, else where it lies as atlas-sync.toml in the folder in which a program is started.
#
# The variable beside a setting wins over the file. A wrong value, an unknown key and an unknown variable
# that begins with ATLAS_ stop the start and are named. `atlas-sync config` shows what is in effect and
# where it comes from.
#
# Secrets do not belong here: put URLs with passwords into the environment, from where your system keeps
# secrets.
";

/// A file that has every setting in it, and sets none.
#[must_use]
pub fn documented_file() -> String {
    let mut text = HEAD.to_owned();
    for group in TABLE {
        let _ = write!(text, "\n# --- {}\n", group.title);
        for setting in group.settings {
            let _ = write!(text, "\n{}# {}\n", described(setting), entry(setting));
        }
    }
    text.push_str(
        "\n# --- a stage by itself; its variables have the stage's name in them, such as\n",
    );
    let of_one = Stage::ExtractingFacts;
    for setting in own() {
        let _ = writeln!(text, "#     {}", setting.variable_of(Some(of_one)));
    }
    for stage in Stage::ALL {
        let _ = write!(text, "\n# [{stage}]\n");
        for setting in own() {
            let _ = writeln!(text, "# {}", entry(setting));
        }
    }
    text
}

/// Those that a stage can have otherwise than the others.
fn own() -> impl Iterator<Item = &'static Setting> {
    TABLE.iter().flat_map(|group| group.settings).filter(|setting| setting.by_stage)
}

fn entry(setting: &Setting) -> String {
    match setting.allowed {
        Allowed::Number { .. } if !setting.default.is_empty() => {
            format!("{} = {}", setting.key, setting.default)
        }
        _ => format!("{} = {:?}", setting.key, setting.default),
    }
}

/// What it does and may be, and its variable, as lines of a comment.
fn described(setting: &Setting) -> String {
    let about = format!("{} Allowed: {}", setting.about, setting.allowed);
    let mut text = format!("# {}\n", setting.variable);
    let mut line = "#".to_owned();
    for word in about.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            "#".clone_into(&mut line);
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(text, "{line}");
    text
}
