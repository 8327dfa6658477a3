//! Checks what errors and warnings say: the mistake, the address to give, and no secret.

use super::table::{options, rows};
use copilot_keyless::Code;
use copilot_keyless::endpoint::{Options, ProviderType, parse};

#[test]
fn a_pasted_line_is_told_which_url_to_keep() {
    let url = "https://myres.services.ai.azure.com/api/projects/p1";
    let lines = [
        format!("\"endpoint\": \"{url}\","),
        format!("{{\n  \"endpoint\": \"{url}\",\n  \"other\": \"{url}/openai/v1\"\n}}"),
        format!("[my project]({url})"),
        format!("({url})"),
        format!("setx FOUNDRY_RESOURCE_URL {url}"),
        format!("curl -X POST '{}/openai/v1/responses'", url.to_uppercase()),
        format!("{url} # ours"),
        format!("{url},{url}"),
        format!("Endpoint={url};Key=f00dfeed"),
        format!("{url};AccountKey=f00dfeed"),
    ];
    for line in lines {
        let error = parse(&line, &Options::default()).unwrap_err();
        let hint = error.next_step().unwrap();
        assert!(
            hint.ends_with("begins with https://myres.services.ai.azure.com."),
            "{line}\n  {hint}"
        );
    }
}

/// Checks the messages of mistakes that share a code, or whose code may have another source.
#[test]
fn the_words_fit_the_mistake() {
    let url = "https://myres.openai.azure.com/";
    let name = "N_1".repeat(21) + "X";
    for (text, words) in [
        (
            format!("FOUNDRY_RESOURCE_URL={url}"),
            "\"FOUNDRY_RESOURCE_URL=...\"",
        ),
        (
            format!("export AZURE_OPENAI_ENDPOINT=\"{url}\""),
            "\"AZURE_OPENAI_ENDPOINT=...\"",
        ),
        (
            "ENDPOINT_2=myres.openai.azure.com".to_owned(),
            "\"ENDPOINT_2=...\"",
        ),
        (format!("{name}={url}"), "_1X=...\""),
        (format!("N{name}={url}"), "more than a URL"),
        (format!("my_url={url}"), "more than a URL"),
        ("nan".to_owned(), "the word \"NaN\""),
        ("None".to_owned(), "the word \"None\""),
        (
            "https://phi-4.eastus2.models.ai.azure.com".to_owned(),
            "a serverless model endpoint",
        ),
        (
            "https://ep.westeurope.inference.ml.azure.com".to_owned(),
            "Machine Learning online endpoint",
        ),
        ("https://ai.azure.com/".to_owned(), "a page of a portal"),
    ] {
        let error = parse(&text, &Options::default()).unwrap_err();
        assert!(error.message().contains(words), "{text}\n  {error}");
    }
}

#[test]
fn what_cannot_be_repaired_is_told_the_address_to_give() {
    for (text, repair) in [
        (
            "https://myres.openai.azure.com/tts",
            "https://myres.openai.azure.com is enough",
        ),
        (
            "https://myres.openai.azure.com/api/projects/p1",
            "https://myres.services.ai.azure.com/api/projects/<project>",
        ),
        (
            "https://myres.services.ai.azure.com/api/projects/p1/connections",
            "https://myres.services.ai.azure.com is enough",
        ),
        (
            "https://myres.services.ai.azure.com/anthropic/v2",
            "Give https://myres.services.ai.azure.com/anthropic.",
        ),
        (
            "https://myres.services.ai.azure.com/api/projects/p1/anthropic",
            "https://myres.services.ai.azure.com/anthropic.",
        ),
        (
            "AZURE_OPENAI_ENDPOINT=https://myres.openai.azure.com/openai/v1",
            "begins with https://myres.openai.azure.com.",
        ),
        (
            "https://https://myres.openai.azure.com/",
            "begins with https://myres.openai.azure.com.",
        ),
        (
            "https:/myres.openai.azure.com/",
            "begins with https://myres.openai.azure.com.",
        ),
        (
            "http://myres.openai.azure.com/",
            "Write https://myres.openai.azure.com.",
        ),
        (
            "wss://myres.openai.azure.com/openai/v1/realtime?model=gpt-realtime",
            "begins with https://myres.openai.azure.com.",
        ),
        (
            "https://myres.openai.azure.com/openai/deployments/<deployment>/chat/completions",
            "begins with https://myres.openai.azure.com.",
        ),
        (
            "https://myres.openai.azure.com/openai/deployments/YOUR_DEPLOYMENT_NAME",
            "https://myres.openai.azure.com is enough",
        ),
        (
            "https://myres.services.ai.azure.com/api/projects/P1/agents/a1",
            "https://myres.services.ai.azure.com/api/projects/P1.",
        ),
        (
            "https://myres.openai.azure.com/openai/deployments//responses?api-version=2025-04-01-preview",
            "https://myres.openai.azure.com is enough",
        ),
        (
            "https://myres.services.ai.azure.com/api/projects/p1;subscription;group;p1",
            "https://myres.services.ai.azure.com is enough",
        ),
        (
            "https://myres.openai.azure.com/openai/threads",
            "https://myres.openai.azure.com is enough",
        ),
    ] {
        let error = parse(text, &Options::default()).unwrap_err();
        let hint = error.next_step().unwrap();
        assert!(hint.contains(repair), "{text}\n  {hint}");
    }
    let anthropic = Options {
        provider_type: Some(ProviderType::Anthropic),
        ..Options::default()
    };
    let error = parse("https://myres.openai.azure.com", &anthropic).unwrap_err();
    let hint = error.next_step().unwrap();
    assert!(
        hint.contains("https://myres.services.ai.azure.com/anthropic"),
        "{hint}"
    );
}

#[test]
fn a_dropped_api_version_is_named() {
    let warning = |query: &str| {
        let url = format!("https://myres.openai.azure.com/openai/v1{query}");
        parse(&url, &Options::default()).unwrap().warnings[0]
            .message
            .clone()
    };
    assert!(warning("?api-version=2024-10-21").contains("apiVersion \"2024-10-21\""));
    assert!(warning("?x=1&API-Version=preview#top").contains("apiVersion \"preview\""));
    for query in [
        "?api-key=f00d",
        "#api-version=2024-10-21",
        "?api-version=a%20b",
        "?api-version=",
    ] {
        assert!(warning(query).contains("give apiVersion as an option"), "{query}");
    }
}

#[test]
fn no_hint_recommends_a_host_that_is_no_resource() {
    for host in [
        "attacker.example",
        "myres.openai.azure.com.attacker.example",
        "notopenai.azure.com",
        "x.servicebus.windows.net",
    ] {
        let mut texts = vec![
            format!("see https://{host}/ now"),
            format!("https://myres.openai.azure.com/ https://{host}/"),
            format!("Endpoint=https://{host}/;Key=f00dfeed"),
            format!("https://{host}\\@myres.openai.azure.com/ x"),
        ];
        texts.extend(rows().iter().map(|row| {
            let input = row["input"].as_str().unwrap();
            input.replace("myres.openai.azure.com", host)
        }));
        for text in texts {
            if let Err(error) = parse(&text, &Options::default()) {
                let hint = error.next_step().unwrap_or_default();
                assert!(!hint.contains(host), "{text}\n  {hint}");
            }
        }
    }
}

#[test]
fn very_long_input_is_refused_in_a_few_words() {
    for length in [2_049, 10_240, 1_000_000] {
        for piece in [
            "a", "\"", "é", "https://", "/..", "%41", "<", " ", "a.", ",", "[::1]",
        ] {
            let end = piece.repeat(length / piece.chars().count() + 1);
            for text in [end.clone(), format!("https://myres.openai.azure.com/{end}")] {
                let error = parse(&text, &Options::default()).unwrap_err();
                assert_eq!(error.code(), Code::EndpointNotAUrl);
                assert!(error.message().len() < 200);
            }
        }
    }
}

#[test]
fn nothing_repeats_a_secret() {
    let secret = "f00dfeedf00dfeedf00dfeedf00dfeed";
    let texts = [
        format!("https://myres.openai.azure.com/?api-key={secret}"),
        format!("https://myres.openai.azure.com/?api-version={secret}"),
        format!("https://myres.openai.azure.com/#{secret}"),
        format!("https://f.contoso.com/v1?code={secret}&sig={secret}&{secret}"),
        format!("https://user:{secret}@myres.openai.azure.com/"),
        format!("{secret}@myres.openai.azure.com/"),
        format!("https://myres.openai.azure.com@{secret}/"),
        format!("https://myres.openai.azure.com/{secret}"),
        format!("https://myres.openai.azure.com/openai/v1&api-key={secret}"),
        format!("https://myres.openai.azure.com/openai/deployments/{secret}%20x/chat"),
        format!("Endpoint=https://myres.openai.azure.com/;AccountKey={secret}"),
        format!("AccountKey={secret}"),
        format!("Endpoint={secret};x=y"),
        format!("eastus.api.azureml.ms;{secret};rg;project"),
        format!("/subscriptions/{secret}/providers/x/accounts/{secret}"),
        format!("AZURE_OPENAI_API_KEY=http{secret}"),
        secret.to_owned(),
        format!("{secret}:{secret}"),
        format!("{secret}://{secret}"),
        format!("\"{secret}"),
        format!("Bearer eyJ{secret}.{secret}.{secret}"),
        format!("https://ai.azure.com/?key={secret}"),
        format!("https://attacker.example/myres.openai.azure.com?key={secret}"),
        format!("\"key1\": \"{secret}\", \"endpoint\": \"https://myres.openai.azure.com/\""),
        format!("https://myres.openai.azure.com/ {secret}"),
        format!("see https://{secret}@myres.openai.azure.com/"),
        format!("see https://user:{secret}@myres.openai.azure.com/ and https://{secret}/"),
        format!("Endpoint=https://{secret}@myres.openai.azure.com/;Key={secret}"),
        format!("curl -H 'api-key: {secret}' https://myres.openai.azure.com/openai/v1/responses"),
        format!("https://myres.openai.azure.com/,https://{secret}/"),
        format!("api-key:{secret}"),
        format!("AZURE_OPENAI_API_KEY={secret}"),
    ];
    for text in texts {
        let shown = match parse(&text, &Options::default()) {
            Ok(endpoint) => serde_json::to_string(&endpoint).unwrap(),
            Err(error) => format!("{error:?} {error}"),
        };
        assert!(!shown.contains(secret), "{text}\n  {shown}");
    }
    let options = Options {
        api_version: Some(secret.to_owned() + "!"),
        ..Options::default()
    };
    assert!(!format!("{:?}", parse("https://myres.openai.azure.com", &options)).contains(secret));
    let options = Options {
        scope: Some(secret.to_owned() + " x"),
        ..Options::default()
    };
    assert!(!format!("{:?}", parse("https://myres.openai.azure.com", &options)).contains(secret));
}

#[test]
fn every_error_says_what_to_do() {
    for row in rows() {
        if let Err(error) = parse(row["input"].as_str().unwrap(), &options(&row)) {
            assert!(
                error.message().len() > 20 && error.next_step().is_some(),
                "{row}\n  {error}"
            );
        }
    }
}
