//! What files of all kinds and faults are read as.

use serde_json::json;

use super::*;

/// Each row as its line, address and code; or the error of the whole.
fn read(format: Format, body: &[u8]) -> Result<Vec<(u32, String, &'static str)>, String> {
    let mut rows = Vec::new();
    // A byte at a time: pieces of a body break anywhere.
    let read = format.read(OneByOne(body), &mut |given| {
        let code = given.fields.err().map_or("", |fault| fault.code);
        rows.push((given.line, given.email, code));
        Ok(())
    });
    match read {
        Ok(()) => Ok(rows),
        Err(ApiError::Invalid(errors)) => {
            let words = errors.iter().map(|error| format!("{} {}", error.field, error.message));
            Err(words.collect::<Vec<_>>().concat())
        }
        Err(error) => Err(error.code().to_owned()),
    }
}

struct OneByOne<'a>(&'a [u8]);

impl Read for OneByOne<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let most = to.len().min(1);
        Read::read(&mut self.0, &mut to[..most])
    }
}

fn row(line: u32, email: &str, code: &'static str) -> (u32, String, &'static str) {
    (line, email.to_owned(), code)
}

fn csv(body: &str) -> Vec<(u32, String, &'static str)> {
    read(Format::Csv, body.as_bytes()).unwrap_or_else(|error| panic!("{body:?}: {error}"))
}

#[test]
fn csv_comes_in_many_shapes() {
    let ann_and_bob = [row(2, "ann@example.com", ""), row(3, "bob@example.com", "")];
    for body in [
        "email\nann@example.com\nbob@example.com",
        "email\r\nann@example.com\r\nbob@example.com\r\n",
        "email\rann@example.com\rbob@example.com\r",
        "\u{feff}email\nann@example.com\nbob@example.com\n",
        "EMAIL ,first_name\nann@example.com,Ann\nbob@example.com,\n",
        "first_name;email\n\"Ann; Lee\";ann@example.com\n;\" bob@example.com \"\n",
        "email,last_name\nann@example.com,\"O\"\"Hara, Jr\"\nbob@example.com,\"\"\n",
        "email,first_name\nann@example.com,Ann,,\nbob@example.com,Bob,,\n",
    ] {
        assert_eq!(csv(body), ann_and_bob, "{body:?}");
    }
    let spaced = csv("\n\nemail,role\n,\n\"a@example.com\",\"x\ny\"\n \n;,\nb@example.com,m\n");
    let wanted = [row(5, "a@example.com", ""), row(8, ";", ""), row(9, "b@example.com", "")];
    assert_eq!(spaced, wanted);
}

#[test]
fn a_bad_row_of_csv_harms_no_other() {
    let good = "good@example.com";
    for (bad, code) in [
        ("a@example.com", "row_malformed"),
        ("a@example.com,A,x", "row_malformed"),
        ("\"a\"@example.com,A", "row_malformed"),
    ] {
        let rows = csv(&format!("email,first_name\n{bad}\n{good},G\n"));
        assert_eq!(rows.last(), Some(&row(3, good, "")), "{bad}");
        assert_eq!((rows[0].0, rows[0].2), (2, code), "{bad}");
    }
    let latin = b"email,first_name\na@example.com,J\xfcrgen\ngood@example.com,G\n";
    let rows = read(Format::Csv, latin).unwrap();
    assert_eq!(rows, [row(2, "", "row_not_utf8"), row(3, good, "")]);
    let wide = format!("email\n{}@example.com\n{good}\n", "a".repeat(3 * MAX_ROW));
    assert_eq!(csv(&wide), [row(2, "", "row_too_long"), row(3, good, "")]);
    let cut = csv("email,first_name\ngood@example.com,G\na@example.com,\"A");
    assert_eq!(cut, [row(2, good, ""), row(3, "", "row_malformed")]);
    let wish = csv("email,expires_in,on_existing\na@example.com,soon,x\n");
    assert_eq!(wish, [row(2, "a@example.com", "validation_failed")]);
}

#[test]
fn a_wrong_header_spoils_all() {
    for (body, words) in [
        ("", None),
        ("emial\na@example.com\n", Some("emial is not known here")),
        ("first_name\nA\n", Some("email is required")),
        ("email,email\na,b\n", Some("email is given twice")),
        ("a@example.com\nb@example.com\n", Some("is not known here")),
    ] {
        match (read(Format::Csv, body.as_bytes()), words) {
            (Ok(rows), None) => assert!(rows.is_empty()),
            (Err(error), Some(words)) => assert!(error.contains(words), "{body:?}: {error}"),
            (other, _) => panic!("{body:?}: {other:?}"),
        }
    }
    let utf_16 = b"\xff\xfee\0m\0a\0i\0l\0\n\0";
    assert!(read(Format::Csv, utf_16).unwrap_err().contains("UTF-16"));
}

#[test]
fn no_cell_is_a_formula() {
    assert_eq!(csv_line(["a", "b c", ""]), "a,b c,\r\n");
    assert_eq!(csv_line(["a,b", "say \"hi\"", "x\ny"]), "\"a,b\",\"say \"\"hi\"\"\",\"x\ny\"\r\n");
    for start in ["=", "+", "-", "@", "\t", "\r"] {
        let line = csv_line([&*format!("{start}HYPERLINK(\"x\")")]);
        assert!(line.starts_with(&format!("\"'{start}")), "{line:?}");
    }
}

#[test]
fn ndjson_is_an_object_a_line() {
    let long = format!("{{\"email\":\"{}\"}}", "a".repeat(3 * MAX_ROW));
    let body = format!(
        "\u{feff}{{\"email\":\"a@example.com\"}}\r\n\n{long}\n{{\"email\":\"b@example.com\",\"x\":1}}\n\
         [1]\n{{\"email\n{{\"email\":\"c@example.com\",\"metadata\":{{\"k\":1}}}}"
    );
    assert_eq!(
        read(Format::Ndjson, body.as_bytes()).unwrap(),
        [
            row(1, "a@example.com", ""),
            row(3, "", "row_too_long"),
            row(4, "b@example.com", "validation_failed"),
            row(5, "", "validation_failed"),
            row(6, "", "malformed_json"),
            row(7, "c@example.com", ""),
        ]
    );
    let rows = read(Format::Ndjson, b"{\"email\":\"\xff\"}\n").unwrap();
    assert_eq!(rows, [row(1, "", "row_not_utf8")]);
}

#[test]
fn json_is_an_object_with_a_list() {
    let body = json!({ "invitations": [{ "email": "a@example.com" }, 5, { "email": 1, "x": 2 }] });
    let rows = read(Format::Json, body.to_string().as_bytes()).unwrap();
    let wrong = "validation_failed";
    assert_eq!(rows, [row(1, "a@example.com", ""), row(2, "", wrong), row(3, "", wrong)]);
    for (body, error) in [
        ("", "malformed_json"),
        ("{\"invitations\":[{\"email\":\"a@example.com\"}", "malformed_json"),
        ("{\"invitations\":[]} x", "malformed_json"),
        ("[]", " must be a JSON object"),
        ("{\"invitations\":5}", " must be a JSON object"),
        ("{}", "invitations is required"),
        ("{\"people\":[]}", "people is not known here"),
        ("{\"invitations\":[],\"invitations\":[]}", "invitations is given twice"),
    ] {
        assert_eq!(read(Format::Json, body.as_bytes()).unwrap_err(), error, "{body}");
    }
}
