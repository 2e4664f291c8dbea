//! Keys to sign with, and their public halves as the DNS would publish them.

use adapters::settings::DkimSettings;

use crate::python;

pub struct Key {
    pub settings: DkimSettings,
    record: String,
}

/// 2048 bits, as `openssl genrsa -traditional` writes them; the record is OpenSSL's too.
pub fn rsa() -> Key {
    key("rsa1", include_str!("dkim/rsa.pem"), include_str!("dkim/rsa.txt").trim())
}

/// The pair of RFC 8463, appendix A.
pub fn ed25519() -> Key {
    let record = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    key("ed1", "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", record)
}

fn key(selector: &str, key: &str, record: &str) -> Key {
    let settings = DkimSettings {
        selector: selector.to_owned(),
        domain: "example.com".to_owned(),
        key: key.to_owned(),
    };
    Key { settings, record: record.to_owned() }
}

impl Key {
    /// `valid` and the signed headers, or `invalid` and the reason.
    pub fn verdict(&self, mail: &[u8]) -> String {
        let name = format!("{}._domainkey.{}", self.settings.selector, self.settings.domain);
        python::ask("dkim_verify.py", &[&name, &self.record], mail).trim().to_owned()
    }
}
