//! The kinds of text that several fields take, for the document: what makes a name or a role.
#![expect(dead_code, reason = "these types are only read by the document")]

use utoipa::ToSchema;

/// One line of at most 64 visible characters.
#[derive(ToSchema)]
#[schema(
    min_length = 1,
    max_length = 64,
    example = "Ann",
    pattern = r"^[^\u0000-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\u2800\u3164\uFEFF\uFFA0\uFFF9-\uFFFB]*[^\u0000-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\u2800\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\s][^\u0000-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\u2800\u3164\uFEFF\uFFA0\uFFF9-\uFFFB]*$"
)]
pub struct Name(String);

/// A role: letters, digits, `_`, `-`, `.` and `:`, beginning with a letter or digit.
#[derive(ToSchema)]
#[schema(max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9_.:-]*$", example = "member")]
pub struct Role(String);
