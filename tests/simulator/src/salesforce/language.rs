//! Texts in the integration user's language: refusals keep their codes, fields and ids, and the words change.
//!
//! That they do is documented and was seen in public threads; the wordings below are guesses, for nobody recorded all of them.

use serde_json::Value;

use super::config::Language;

/// French words by code; `{ids}` are the ids of the English text, `{fields}` what it has in brackets, `{inner}` the code and
/// fields of a refusal that an automation repeats.
const FRENCH: &[(&str, &str)] = &[
    (
        "UNABLE_TO_LOCK_ROW",
        "impossible d'obtenir un accès exclusif à cet enregistrement ou à 1 enregistrements : {ids}",
    ),
    ("REQUIRED_FIELD_MISSING", "Champs obligatoires manquants : {fields}"),
    ("INVALID_CROSS_REFERENCE_KEY", "ID de référence croisée non valide : {ids}"),
    ("INSUFFICIENT_ACCESS_OR_READONLY", "droits d'accès insuffisants sur l'ID d'objet"),
    (
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "droits d'accès insuffisants sur l'ID de référence croisée : {ids}",
    ),
    ("INSUFFICIENT_ACCESS", "L'opération requiert l'autorisation Afficher toutes les données"),
    ("INVALID_OPERATION", "File d'attente non associée à ce type d'objet SObject"),
    ("INVALID_SESSION_ID", "Session expirée ou non valide"),
    ("STRING_TOO_LONG", "valeur de données trop grande"),
    ("DUPLICATE_VALUE", "valeur en double trouvée, comme dans l'enregistrement avec l'ID : {ids}"),
    ("DUPLICATE_EXTERNAL_ID", "plusieurs enregistrements trouvés pour le champ d'ID externe : {ids}"),
    ("FIELD_INTEGRITY_EXCEPTION", "valeur d'ID de type incorrect : {ids}"),
    ("MALFORMED_ID", "valeur d'ID de type incorrect : {ids}"),
    ("ENTITY_IS_DELETED", "l'entité est supprimée"),
    ("INACTIVE_OWNER_OR_USER", "opération effectuée avec un utilisateur inactif : {ids}"),
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "exécution du déclencheur ; première erreur : {inner}"),
];

/// Puts the words of every refusal in an answer into the language.
pub(crate) fn translate(body: &mut Value, language: Language) {
    if language == Language::English {
        return;
    }
    match body {
        Value::Array(items) => items.iter_mut().for_each(|item| translate(item, language)),
        Value::Object(fields) => {
            let code = fields.get("errorCode").or_else(|| fields.get("statusCode")).and_then(Value::as_str);
            let words = code.and_then(|code| FRENCH.iter().find(|(known, _)| *known == code)).map(|(_, words)| *words);
            match (words, fields.get_mut("message")) {
                (Some(words), Some(Value::String(text))) => *text = filled(words, text),
                _ => fields.values_mut().for_each(|field| translate(field, language)),
            }
        }
        _ => {}
    }
}

fn filled(words: &str, english: &str) -> String {
    let ids = english.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| matches!(word.len(), 15 | 18));
    let ids: Vec<_> =
        ids.filter(|word| word.starts_with('0') || word.starts_with('a') || word.starts_with('5')).collect();
    let fields = english.rsplit_once('[').map_or("[]", |(before, _)| &english[before.len()..]);
    let inner = english.rsplit_once("first error: ").map_or(english, |(_, inner)| inner);
    let code = inner.split(',').next().unwrap_or_default();
    let ids = ids.join(", ");
    words.replace("{ids}", &ids).replace("{fields}", fields).replace("{inner}", &format!("{code}, {ids} : {fields}"))
}
