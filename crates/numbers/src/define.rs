//! `numbers!`, and the types of the lists that it defines.

/// An enum whose members are numbers.
#[derive(Clone, Copy, Debug)]
pub struct Enum {
    /// The name in Rust.
    pub name: &'static str,
    /// The lines of its comment.
    pub comment: &'static [&'static str],
    /// Its members, in the order of their definition.
    pub members: &'static [Constant],
}

/// A number with a name: a constant, or a member of an enum.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    /// The name in Rust.
    pub name: &'static str,
    /// The lines of its comment.
    pub comment: &'static [&'static str],
    /// The literal in the source, which TypeScript reads as the same number.
    pub value: &'static str,
}

/// Defines enums and constants, and the lists `ENUMS` and `CONSTANTS` of all of them.
macro_rules! numbers {
    (
        enums {
            $(
                $(#[doc = $enum_comment:literal])*
                $enum_name:ident {
                    $($(#[doc = $member_comment:literal])* $member:ident = $number:literal,)*
                }
            )*
        }
        constants {
            $($(#[doc = $comment:literal])* $name:ident: $type:ty = $value:literal;)*
        }
    ) => {
        $(
            $(#[doc = $enum_comment])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            #[repr(i32)]
            pub enum $enum_name {
                $($(#[doc = $member_comment])* $member = $number,)*
            }

            impl $enum_name {
                /// The member with this number, if there is one.
                pub const fn of(number: i32) -> Option<Self> {
                    match number {
                        $($number => Some(Self::$member),)*
                        _ => None,
                    }
                }

                /// The number of this member.
                pub const fn number(self) -> i32 {
                    self as i32
                }
            }
        )*

        $($(#[doc = $comment])* pub const $name: $type = $value;)*

        /// The enums above.
        pub const ENUMS: &[Enum] = &[$(
            Enum {
                name: stringify!($enum_name),
                comment: &[$($enum_comment),*],
                members: &[$(
                    Constant {
                        name: stringify!($member),
                        comment: &[$($member_comment),*],
                        value: stringify!($number),
                    },
                )*],
            },
        )*];

        /// The constants above.
        pub const CONSTANTS: &[Constant] = &[$(
            Constant {
                name: stringify!($name),
                comment: &[$($comment),*],
                value: stringify!($value),
            },
        )*];
    };
}

pub(crate) use numbers;
