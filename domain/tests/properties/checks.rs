//! What must be true of any text or bytes whatever; the fuzz targets in `fuzz/` check the same.

use domain::branding::{Logo, LogoError, LogoKind};
use domain::job::JobError;
use domain::{EmailAddress, Job, Name};

/// An address is refused, or can be sent to, compared and read back.
pub fn address(text: &str) {
    let Ok(address) = EmailAddress::parse(text) else { return };
    let (envelope, normalized) = (address.envelope(), address.normalized());
    for form in [&envelope, &normalized] {
        let harmless = |byte: u8| byte.is_ascii_graphic() && !b",;:<>()[]\\\"".contains(&byte);
        assert!(form.bytes().all(harmless), "{text:?} became {form:?}");
        let (local, domain) = form.split_once('@').expect("an @");
        assert!((1..=64).contains(&local.len()) && form.len() <= 254, "{text:?}");
        assert!(domain.contains('.') && !domain.contains('@'), "{text:?}");
        let again = EmailAddress::parse(form).expect("what was accepted is accepted again");
        assert_eq!(again.normalized(), normalized, "{text:?} read back");
        assert_eq!(&again.envelope(), form, "{text:?} read back");
    }
    let given = EmailAddress::parse(address.as_given()).expect("as it was given");
    assert_eq!(given.normalized(), normalized, "{text:?} given back");
    let first = &envelope[..1];
    let masked = format!("{first}***@{}", address.domain());
    assert_eq!([address.to_string(), format!("{address:?}")], [masked.clone(), masked]);
}

/// A name is refused, or is one visible line that is read back as itself.
pub fn name(text: &str) {
    let Ok(name) = Name::parse(text) else { return };
    assert_eq!(name.as_str(), text.trim());
    assert!(!name.as_str().is_empty() && name.as_str().len() <= 64 * 32);
    assert!(!name.as_str().chars().any(char::is_control), "{text:?}");
    assert_eq!(Name::parse(name.as_str()).as_ref(), Ok(&name), "{text:?} read back");
}

/// A message is refused, or is a job that is written as it was read.
pub fn job(bytes: &[u8]) {
    match Job::decode(bytes) {
        Ok(job) => assert_eq!(Job::decode(&job.encode()).ok(), Some(job)),
        Err(JobError::Unknown { kind, version }) => {
            assert!((kind.as_str(), version) != ("email", 1));
        }
        Err(JobError::Malformed(_)) => {}
    }
}

/// Bytes are refused, or are a picture that pages can show.
pub fn logo(bytes: &[u8]) {
    match Logo::read(bytes) {
        Ok(logo) => {
            assert_eq!(logo.bytes as usize, bytes.len());
            let sides = [logo.width, logo.height];
            assert!(sides.iter().all(|side| (1..=Logo::MOST_PIXELS).contains(side)), "{logo:?}");
            assert!(logo.hash.len() == 32 && logo.hash.bytes().all(|b| b.is_ascii_hexdigit()));
            let begins: &[u8] = match logo.kind {
                LogoKind::Png => b"\x89PNG",
                LogoKind::Jpeg => b"\xff\xd8\xff",
                LogoKind::WebP => b"RIFF",
                LogoKind::Gif => b"GIF8",
            };
            assert!(bytes.starts_with(begins), "{logo:?}");
        }
        Err(LogoError::TooLarge) => assert!(bytes.len() > Logo::MOST_BYTES),
        Err(_) => {}
    }
}
