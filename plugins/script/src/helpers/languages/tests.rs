//! Which language a message is told to be in, and when none.

use super::super::testing::{check, shown};

#[test]
fn short_messages_of_customers_are_told_apart() {
    for (code, messages) in [
        ("en", &["Hello", "hi, where is my order?", "I want my money back", "Refund please", "cancel my booking"][..]),
        ("en", &["Good morning, I lost my card yesterday and need a new one", "the parcel was damaged"]),
        ("fr", &["Bonjour", "Bonjour, où est ma commande ?", "je veux un remboursement", "J’ai perdu ma carte"]),
        ("fr", &["Merci de me rappeler", "Ma valise n'est pas arrivée", "JE VEUX ÊTRE REMBOURSÉ"]),
        ("de", &["Hallo, wo ist meine Bestellung?", "Ich möchte mein Geld zurück", "Meine Karte wurde gestohlen"]),
        ("de", &["Danke!", "Bitte rufen Sie mich an", "Flug verspätet, was nun?"]),
        ("es", &["Hola", "¿Dónde está mi pedido?", "quiero que me devuelvan el dinero", "he perdido mi tarjeta"]),
        ("es", &["gracias", "necesito cambiar mi vuelo", "el paquete no ha llegado"]),
        ("it", &["Ciao", "Dov'è il mio ordine?", "vorrei un rimborso", "ho perso la mia carta"]),
        ("it", &["Buongiorno, vorrei cambiare il volo", "non ho ricevuto il pacco"]),
        ("nl", &["Waar is mijn bestelling?", "ik wil mijn geld terug", "mijn pas is gestolen"]),
        ("nl", &["Goedemorgen, kunt u mij helpen?", "het pakket is niet aangekomen"]),
        ("pt", &["Onde está a minha encomenda?", "quero o meu dinheiro de volta", "perdi o meu cartão"]),
        ("pt", &["Olá, preciso de ajuda", "não recebi a encomenda"]),
        ("pl", &["Gdzie jest moje zamówienie?"]),
        ("sv", &["Var är min beställning?"]),
        ("da", &["Hvor er min ordre?"]),
        ("ar", &["بطاقتي مسروقة"]),
        ("ja", &["カードを紛失しました", "荷物が届きません"]),
        ("zh", &["我的订单在哪里"]),
        ("ko", &["주문이 어디에 있나요"]),
        ("ru", &["Где мой заказ?"]),
    ] {
        for message in messages {
            assert_eq!(shown(&format!("language({message:?})")), code, "{message}");
        }
    }
}

#[test]
fn what_nothing_tells_is_no_language() {
    check(&[
        ("language(`42`)", "()"),
        ("language(``)", "()"),
        ("language(())", "()"),
        ("language(`ok`)", "()"),
        ("language(`🙂🙂`)", "()"),
    ]);
}

#[test]
fn only_the_languages_that_may_be_it_are_guessed() {
    check(&[
        ("language(`Olá, preciso de ajuda`, [`en`, `es`, `fr`])", "es"),
        ("language(`Где мой заказ?`, [`en`, `fr`])", "()"),
        ("language(`我的订单在哪里`, [`en`, `zh`])", "zh"),
        ("language(`x`, [`eng`])", "Runtime error: language() knows no language \"eng\"; it knows da, de, en..."),
    ]);
}
