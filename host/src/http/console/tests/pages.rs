//! Signing in, and where pages lead.

use std::collections::HashSet;

use super::*;

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_the_login_and_from_there_on() {
    let mut console = Console::start(0).await;
    for path in
        ["/", "/sync-errors?org=shop&class=", "/sync-errors/se-x", "/messages/m", "/policies", "/orgs/shop/checks"]
    {
        let answer = console.get(path).await;
        let next = leads_to(&answer).strip_prefix("/login?next=").unwrap();
        assert_eq!(percent_encoding::percent_decode_str(next).decode_utf8().unwrap(), path);
    }
    assert_eq!(leads_to(&console.post("/orgs/shop/checks", &[]).await), "/login?next=%2F");
    let from =
        |page: &str| console.form("/orgs/shop/checks", &[]).header(header::REFERER, format!("{}{page}", console.url));
    let answer = from("/sync-errors?org=shop").header(header::ORIGIN, &console.url).send().await.unwrap();
    assert_eq!(leads_to(&answer), "/login?next=%2Fsync%2Derrors%3Forg%3Dshop", "the page that the form stood on");
    refused(
        console.post("/login", &[("token", "nonsense")]).await,
        StatusCode::UNAUTHORIZED,
        "This token is not known",
    )
    .await;

    let answer = console.post("/login", &[("token", WRITER), ("next", "/policies")]).await;
    assert_eq!(leads_to(&answer), "/policies");
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/") && !cookie.contains(WRITER), "{cookie}");
    assert_eq!(leads_to(&console.post("/login", &[("token", WRITER), ("next", "//evil.example")]).await), "/");
    let by_proxy = console.form("/login", &[("token", WRITER)]).header("x-forwarded-proto", "https");
    let answer = by_proxy.header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert!(answer.headers()[header::SET_COOKIE].to_str().unwrap().ends_with("; Secure"));

    console.cookie = cookie.split(';').next().map(str::to_owned);
    assert!(console.page("/policies").await.contains("Signed in as <b>ann</b>"));
    let answer = console.post("/logout", &[]).await;
    assert!(answer.headers()[header::SET_COOKIE].to_str().unwrap().contains("switchyard-session=; "));
    assert_eq!(leads_to(&answer), "/login");
    assert_eq!(console.get("/policies").await.status(), StatusCode::SEE_OTHER, "the host forgot the session too");
    console.stop().await;
}

#[tokio::test]
async fn every_link_of_every_page_leads_somewhere_and_no_page_needs_anything_from_elsewhere() {
    let console = Console::signed_in(51, WRITER).await;
    let (mut seen, mut left) = (HashSet::new(), vec!["/".to_owned()]);
    while let Some(path) = left.pop() {
        let page = console.page(&path).await;
        if !page.contains("<html") {
            continue;
        }
        assert!(
            page.matches("<script").count() == 1 && !page.contains("style=\"") && !page.contains("hush-token"),
            "{path}: {page}"
        );
        for (attribute, rest) in page
            .match_indices("href=\"")
            .chain(page.match_indices("src=\""))
            .map(|(at, name)| (name, &page[at + name.len()..]))
        {
            let link = rest.split('"').next().unwrap().replace("&amp;", "&");
            assert!(link.starts_with('/') || attribute == "href=\"" && link.starts_with('#'), "{path}: {link}");
            let link = link.split('#').next().unwrap().to_owned();
            // The pages of single messages and errors are all alike.
            let kind = |link: &str| {
                link.split_once('?').map_or(link, |(path, _)| path).rsplit_once('/').map(|(kind, _)| kind.to_owned())
            };
            let alike = |seen: &HashSet<String>| {
                kind(&link).is_some_and(|of| {
                    !of.is_empty() && seen.iter().filter(|known| kind(known).as_ref() == Some(&of)).count() > 8
                })
            };
            // No policy was read here.
            if !link.starts_with("/policies/default") && !link.is_empty() && !alike(&seen) && seen.insert(link.clone())
            {
                left.push(link);
            }
        }
    }
    for part in ["/style.css", "/orgs/shop/checks", "/policies", "/messages/main:m"] {
        assert!(seen.iter().any(|path| path.starts_with(part)), "{part} is not among {seen:?}");
    }
    assert!(seen.iter().any(|path| path.contains("cursor=")), "51 sync errors are two pages: {seen:?}");
    console.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_a_page_with_the_right_status() {
    let console = Console::signed_in(0, WRITER).await;
    let lost = StatusCode::NOT_FOUND;
    refused(console.get("/sync-errors/se-none").await, lost, "There is no sync error se-none.").await;
    refused(console.get("/sync-errors/%3Cb%3E").await, lost, "&lt;b&gt;").await;
    refused(console.get("/messages/main:9").await, lost, "Nothing is known of message main:9.").await;
    refused(console.get("/orgs/none/checks").await, lost, "There is no organization none.").await;
    refused(console.post("/orgs/none/checks", &[]).await, lost, "There is no organization none.").await;
    let answer = console.get("/sync-errors?state=nonsense").await;
    refused(answer, StatusCode::BAD_REQUEST, "`nonsense` is none of pending, retrying").await;
    assert!(console.page("/sync-errors?class=auth&state=").await.contains("There is none."));
    console.stop().await;
}

#[tokio::test]
async fn an_address_that_nobody_answers_is_a_page_for_a_browser_and_a_problem_for_a_client() {
    let console = Console::start(0).await;
    let nowhere = format!("{}/nowhere", console.url);
    let browser = console.http.get(&nowhere).header(header::ACCEPT, "text/html,*/*;q=0.8").send().await.unwrap();
    refused(browser, StatusCode::NOT_FOUND, "nothing at this address").await;
    let client = console.http.get(&nowhere).send().await.unwrap();
    assert_eq!(client.headers()[header::CONTENT_TYPE], "application/problem+json");
    console.stop().await;
}

#[test]
fn the_script_hears_of_every_event() {
    let script = include_str!("../assets/console.js");
    for what in crate::domain::EventType::ALL {
        assert!(script.contains(&format!("'{}'", what.as_str())), "{}", what.as_str());
    }
}
