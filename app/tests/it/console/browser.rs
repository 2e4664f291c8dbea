//! A browser that keeps one cookie and sends forms.

use app::http::Answer;
use url::form_urlencoded::Serializer;

use crate::harness::TestApp;

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const MULTIPART: (&str, &str) = ("Content-Type", "multipart/form-data; boundary=B7");

/// A browser; signed in if it has a cookie.
pub struct Browser<'a> {
    app: &'a TestApp,
    pub cookie: Option<String>,
}

impl<'a> Browser<'a> {
    /// One that is not signed in.
    pub fn stranger(app: &'a TestApp) -> Self {
        Self { app, cookie: None }
    }

    /// One that has signed in with this key.
    pub async fn signed_in(app: &'a TestApp, key: &str) -> Self {
        let mut browser = Self::stranger(app);
        let answer = browser.sign_in(key).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/console")));
        let cookie = answer.header("set-cookie").expect("a cookie");
        browser.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        browser
    }

    /// Sends the form on the first page.
    pub async fn sign_in(&self, key: &str) -> Answer {
        self.send("/console/sign-in", &[("key", key)]).await
    }

    /// Opens a page, whatever comes of it.
    pub async fn open(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"").await
    }

    /// Opens a page that must be there.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.open(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text()
    }

    /// Sends fields as they are.
    pub async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.ask("POST", path, &[FORM], body.as_bytes()).await
    }

    /// Sends a form as the console's pages do: with what proves that it comes from there.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf().await;
        let fields: Vec<_> = [("csrf", csrf.as_str())].into_iter().chain(fields.to_vec()).collect();
        self.send(path, &fields).await
    }

    /// Sends a form that must have an effect; gives the page that it leads to.
    pub async fn done(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.submit(path, fields).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.text());
        self.page(answer.header("location").expect("a place")).await
    }

    /// Sends the form with a file; with another proof than that of the page, if one is given.
    pub async fn upload(&self, path: &str, csrf: Option<&str>, mode: &str, file: &str) -> Answer {
        let csrf = match csrf {
            Some(csrf) => csrf.to_owned(),
            None => self.csrf().await,
        };
        let part = |name: &str, value: &str| {
            format!("--B7\r\nContent-Disposition: form-data; name=\"{name}\"{value}\r\n")
        };
        let body = [
            part("csrf", &format!("\r\n\r\n{csrf}")),
            part(
                "file",
                &format!("; filename=\"people.csv\"\r\nContent-Type: text/csv\r\n\r\n{file}"),
            ),
            part("mode", &format!("\r\n\r\n{mode}")),
            "--B7--\r\n".to_owned(),
        ];
        self.ask("POST", path, &[MULTIPART], body.concat().as_bytes()).await
    }

    /// Sends a form with a logo, as the page with the look does.
    pub async fn send_file(&self, path: &str, fields: &[(&str, &str)], file: &[u8]) -> Answer {
        let csrf = self.csrf().await;
        let fields = [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied());
        let part = |(name, value): (&str, &str)| {
            format!("--B7\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let fields: String = fields.map(part).collect();
        let head =
            "--B7\r\nContent-Disposition: form-data; name=\"logo\"; filename=\"a.png\"\r\n\r\n";
        let body = [fields.as_bytes(), head.as_bytes(), file, b"\r\n--B7--\r\n"].concat();
        self.ask("POST", path, &[MULTIPART], &body).await
    }

    async fn csrf(&self) -> String {
        let page = self.page(&format!("/console/{}", self.app.organization)).await;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
        rest.split('"').next().unwrap().to_owned()
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let cookie = self.cookie.as_deref().map(|cookie| ("Cookie", cookie));
        let headers: Vec<_> = headers.iter().copied().chain(cookie).collect();
        let client = self.app.client.clone().with_key(None);
        client.send(method, path, &headers, body).await.unwrap()
    }
}
