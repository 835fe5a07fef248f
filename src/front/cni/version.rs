//! Versions of the CNI specification.

use std::fmt;

use super::error::Error;

/// A version of the specification that a configuration can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CniVersion {
    /// 0.1.0
    V0_1_0,
    /// 0.2.0
    V0_2_0,
    /// 0.3.0: results with interfaces.
    V0_3_0,
    /// 0.3.1
    V0_3_1,
    /// 0.4.0: CHECK.
    V0_4_0,
    /// 1.0.0
    V1_0_0,
    /// 1.1.0: GC and STATUS.
    V1_1_0,
}

impl CniVersion {
    /// All, oldest first.
    pub const ALL: [CniVersion; 7] = [
        CniVersion::V0_1_0,
        CniVersion::V0_2_0,
        CniVersion::V0_3_0,
        CniVersion::V0_3_1,
        CniVersion::V0_4_0,
        CniVersion::V1_0_0,
        CniVersion::V1_1_0,
    ];

    /// As in `cniVersion`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CniVersion::V0_1_0 => "0.1.0",
            CniVersion::V0_2_0 => "0.2.0",
            CniVersion::V0_3_0 => "0.3.0",
            CniVersion::V0_3_1 => "0.3.1",
            CniVersion::V0_4_0 => "0.4.0",
            CniVersion::V1_0_0 => "1.0.0",
            CniVersion::V1_1_0 => "1.1.0",
        }
    }

    /// Reads `cniVersion`; absent or empty is 0.1.0.
    ///
    /// # Errors
    /// [`Error::IncompatibleVersion`] with what is supported.
    pub fn parse(text: Option<&str>, supported: &[CniVersion]) -> Result<Self, Error> {
        let text = text.filter(|text| !text.is_empty()).unwrap_or("0.1.0");
        supported.iter().copied().find(|version| version.as_str() == text).ok_or_else(|| {
            Error::IncompatibleVersion { asked: text.to_owned(), supported: supported.to_vec() }
        })
    }
}

impl fmt::Display for CniVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
