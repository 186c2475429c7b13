//! A browser as far as authorizing needs one: it keeps cookies, follows nothing by itself, and knows which cookies travel.

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, ORIGIN, REFRESH, SET_COOKIE};
use reqwest::{Client, StatusCode};
use switchyard_tests::TestHost;

/// A browser at the console of a host.
pub(crate) struct Browser {
    http: Client,
    console: String,
    /// Travels only with requests from the console's own pages.
    session: String,
    /// Comes along when another site sends the browser here.
    authorization: String,
}

/// What a page answers.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    headers: HeaderMap,
}

impl Page {
    /// Where it leads on to.
    pub(crate) fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.headers[LOCATION].to_str().expect("text")
    }

    /// What a hidden field of its forms brings along.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let begin = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
        let rest = self.text.split_once(&begin).unwrap_or_else(|| panic!("no field {name}: {}", self.text)).1;
        let value = rest.split_once('"').expect("an end").0;
        value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }

    /// Asserts that all of these words stand on it.
    pub(crate) fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.text.contains(word), "{word} is not in {}", self.text);
        }
    }
}

impl Browser {
    /// Signs in with a token.
    pub(crate) async fn sign_in(host: &TestHost, token: &str) -> Self {
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let console = format!("http://{}", host.app.address);
        let mut browser = Self { http, console, session: String::new(), authorization: String::new() };
        let page = browser.post("/login", &[("token", token)]).await;
        browser.session = cookie(&page.headers, "switchyard-session").expect("a session");
        browser
    }

    /// The cookie of its session.
    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    /// The same browser, where the host answers after a restart.
    pub(crate) fn at(self, host: &TestHost) -> Self {
        Self { console: format!("http://{}", host.app.address), ..self }
    }

    /// Looks at a page of the console.
    pub(crate) async fn get(&self, path: &str) -> Page {
        let request = self.http.get(format!("{}{path}", self.console)).header(COOKIE, &self.session);
        page(request).await
    }

    /// Sends a form of the console.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let request = self.http.post(format!("{}{path}", self.console)).header(COOKIE, &self.session);
        page(request.header(ORIGIN, &self.console).form(form)).await
    }

    /// Sends a form with files, each with what it is called on the visitor's disk (none for a field without a file).
    pub(crate) async fn upload(&self, path: &str, fields: &[(&str, Option<&str>, &[u8])]) -> Page {
        let mut body = Vec::new();
        for (name, file, bytes) in fields {
            let file = file.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: application/octet-stream"));
            let head = format!("Content-Disposition: form-data; name=\"{name}\"{}", file.unwrap_or_default());
            body.extend([format!("--edge\r\n{head}\r\n\r\n").as_bytes(), bytes, b"\r\n"].concat());
        }
        body.extend(b"--edge--\r\n");
        self.upload_as(path, "multipart/form-data; boundary=edge", &body).await
    }

    /// Sends a body of this type.
    pub(crate) async fn upload_as(&self, path: &str, of_type: &str, body: &[u8]) -> Page {
        let request = self.http.post(format!("{}{path}", self.console)).header(COOKIE, &self.session);
        page(request.header(ORIGIN, &self.console).header(CONTENT_TYPE, of_type).body(body.to_vec())).await
    }

    /// Presses "Authorize", and lets Salesforce's page lead on: answers the address that it leads back to.
    pub(crate) async fn authorize(&mut self, org: &str) -> String {
        let begun = self.post(&format!("/orgs/{org}/authorize"), &[]).await;
        assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
        self.authorization = cookie(&begun.headers, "switchyard-authorization").expect("a cookie");
        let refresh = begun.headers[REFRESH].to_str().expect("text").to_owned();
        self.salesforce(refresh.strip_prefix("0;url=").expect("an address")).await
    }

    /// Opens Salesforce's page: answers where it leads back to.
    pub(crate) async fn salesforce(&self, url: &str) -> String {
        let page = page(self.http.get(url)).await;
        assert_eq!(page.status, StatusCode::FOUND, "{}", page.text);
        page.headers[LOCATION].to_str().expect("text").to_owned()
    }

    /// Follows what another site sent here: the session's cookie stays behind.
    pub(crate) async fn come_back(&self, url: &str) -> Page {
        page(self.http.get(url).header(COOKIE, &self.authorization)).await
    }

    /// The same from a browser that never was here.
    pub(crate) async fn come_back_as_another(&self, url: &str) -> Page {
        page(self.http.get(url)).await
    }
}

impl Page {
    /// The hidden fields of its form with this action, as a browser sends them.
    pub(crate) fn hidden_fields(&self, action: &str) -> Vec<(String, String)> {
        let begin = format!("<form class=\"fields\" method=\"post\" action=\"{action}\">");
        let form = self.text.split_once(&begin).unwrap_or_else(|| panic!("{action}: {}", self.text)).1;
        let form = form.split_once("</form>").expect("an end").0;
        let fields = form.split("<input type=\"hidden\" name=\"").skip(1);
        let field = |field: &str| {
            let (name, rest) = field.split_once("\" value=\"").expect("a value");
            let value = rest.split_once('"').expect("an end").0;
            let plain = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
            (name.to_owned(), plain)
        };
        fields.map(field).collect()
    }
}

async fn page(request: reqwest::RequestBuilder) -> Page {
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    Page { status, headers, text: answer.text().await.expect("a body") }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.filter_map(|cookie| cookie.split(';').next());
    pairs.map(str::to_owned).find(|pair| pair.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
}
