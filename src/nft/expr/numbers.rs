//! Enums of the kernel's numbers.

/// An enum of the kernel's numbers: named ones, and `Other` for those that came later.
macro_rules! kernel_numbers {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:literal $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// A number without a name here.
            Other(u32),
        }

        impl $name {
            /// The kernel's number.
            #[must_use]
            pub fn number(self) -> u32 {
                match self {
                    $($name::$variant => $number,)+
                    $name::Other(number) => number,
                }
            }

            /// The value with that number.
            #[must_use]
            pub fn from_number(number: u32) -> Self {
                match number {
                    $($number => $name::$variant,)+
                    number => $name::Other(number),
                }
            }

            /// nft's word for it.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                    $name::Other(_) => "unknown",
                }
            }
        }
    };
}
pub(super) use kernel_numbers;
