//! The command line: a mode, then `--name value` pairs.

use std::collections::HashMap;
use std::env;
use std::str::FromStr;

#[derive(Debug)]
pub struct Arguments {
    pub mode: String,
    values: HashMap<String, String>,
}

impl Arguments {
    /// # Errors
    /// A sentence for the one who typed it.
    pub fn read() -> Result<Self, String> {
        let mut words = env::args().skip(1);
        let mode = words.next().ok_or("a mode is missing")?;
        let mut values = HashMap::new();
        while let Some(word) = words.next() {
            let name = word
                .strip_prefix("--")
                .ok_or_else(|| format!("--name expected, not {word}"))?;
            let value = words.next().ok_or_else(|| format!("{word} takes a value"))?;
            values.insert(name.to_owned(), value);
        }
        Ok(Self { mode, values })
    }

    /// # Errors
    /// When the value is given and is not a `T`.
    pub fn optional<T: FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        self.values
            .get(name)
            .map(|text| {
                text.parse()
                    .map_err(|_| format!("--{name} does not take \"{text}\""))
            })
            .transpose()
    }

    /// # Errors
    /// When the value is missing, or is not a `T`.
    pub fn required<T: FromStr>(&self, name: &str) -> Result<T, String> {
        self.optional(name)?.ok_or_else(|| format!("--{name} is missing"))
    }
}
