using DataHub.Catalog;

namespace DataHub;

/// <summary>A kind of error answer: its stable word (last part of the problem's <c>type</c>), usual status, title and what to do.</summary>
public sealed record ProblemType(string Word, int Status, LocalText Title, LocalText Help);

/// <summary>All kinds of errors that the public interface knows. A word, once published, keeps its meaning.</summary>
public static class ProblemTypes
{
    private static readonly Dictionary<string, ProblemType> s_byWord = new(StringComparer.Ordinal);

    // 400: the request itself is wrong
    public static readonly ProblemType InvalidId = Add("invalid-id", 400,
        "Ungültige Kennung", "Invalid id",
        "Eine Kennung besteht aus 1 bis 63 Kleinbuchstaben, Ziffern und Bindestrichen und beginnt nicht mit einem Bindestrich.",
        "An id has 1 to 63 lower-case letters, digits and hyphens and does not begin with a hyphen.");

    public static readonly ProblemType InvalidJson = Add("invalid-json", 400,
        "Kein lesbares JSON", "Not readable JSON",
        "Der Inhalt ist kein gültiges JSON, oder ein Feld fehlt, ist unbekannt oder hat den falschen Typ; das Detail nennt die Stelle.",
        "The body is not valid JSON, or a member is missing, unknown or of the wrong type; the detail names the place.");

    public static readonly ProblemType InvalidCsv = Add("invalid-csv", 400,
        "Kein lesbares CSV", "Not readable CSV",
        "Die erste Zeile muss die Feldnamen enthalten; das Detail nennt die Stelle.",
        "The first line must hold the names of the fields; the detail names the place.");

    public static readonly ProblemType InvalidMessagePack = Add("invalid-messagepack", 400,
        "Kein lesbares MessagePack", "Not readable MessagePack",
        "Erwartet wird eine Liste von Maps, oder { \"columns\": { … } } mit gleich langen Listen; das Detail nennt die Stelle.",
        "An array of maps is expected, or { \"columns\": { … } } with arrays of one length; the detail names the place.");

    public static readonly ProblemType InvalidBody = Add("invalid-body", 400,
        "Inhalt nicht lesbar", "Body not readable",
        "Der Inhalt ist leer, abgebrochen oder nicht so kodiert, wie die Kopfzeilen es sagen.",
        "The body is empty, was cut off, or is not encoded as the headers say.");

    public static readonly ProblemType InvalidParameter = Add("invalid-parameter", 400,
        "Ungültiger Parameter", "Invalid parameter",
        "Ein Parameter der Adresse oder eine Kopfzeile hat keinen erlaubten Wert; das Detail nennt ihn und was erlaubt ist.",
        "A query parameter or a header has no allowed value; the detail names it and what is allowed.");

    public static readonly ProblemType BadRequest = Add("bad-request", 400,
        "Anfrage nicht verstanden", "Request not understood",
        "Die Anfrage ist nach den Regeln von HTTP nicht lesbar.",
        "The request is not readable by the rules of HTTP.");

    // 401, 403: who asks
    public static readonly ProblemType Unauthorized = Add("unauthorized", 401,
        "Schlüssel fehlt oder gilt nicht", "Key missing or not valid",
        "Diese Anfrage braucht einen gültigen Schlüssel in der Kopfzeile „Authorization: Bearer dh_…“. Schlüssel gibt die Verwaltung der jeweiligen Behörde aus.",
        "This request needs a valid key in the header “Authorization: Bearer dh_…”. Keys are given out by the agency's administrators.");

    public static readonly ProblemType Forbidden = Add("forbidden", 403,
        "Nicht erlaubt", "Not allowed",
        "Der Schlüssel gilt, darf dies aber nicht; das Detail nennt, wessen Schlüssel mit welchem Recht nötig ist.",
        "The key is valid but may not do this; the detail says whose key with which right is needed.");

    // 404 … 415: what is asked for
    public static readonly ProblemType NotFound = Add("not-found", 404,
        "Nicht gefunden", "Not found",
        "Was die Adresse nennt, gibt es hier nicht; das Detail nennt die Kennung.",
        "What the address names does not exist here; the detail names the id.");

    public static readonly ProblemType MethodNotAllowed = Add("method-not-allowed", 405,
        "Methode nicht erlaubt", "Method not allowed",
        "Diese Adresse kennt die Methode nicht; die Kopfzeile Allow nennt die erlaubten.",
        "This address does not know the method; the header Allow names those it knows.");

    public static readonly ProblemType NotAcceptable = Add("not-acceptable", 406,
        "Format nicht verfügbar", "Format not available",
        "Keines der in Accept genannten Formate gibt es hier; das Detail nennt die verfügbaren.",
        "None of the formats named in Accept is available here; the detail names those that are.");

    public static readonly ProblemType Conflict = Add("conflict", 409,
        "Passt nicht zum Bestand", "Does not fit what stands",
        "Die Änderung ist für sich erlaubt, aber nicht gegenüber dem, was schon besteht; das Detail nennt es.",
        "The change is allowed in itself, but not against what stands already; the detail names it.");

    public static readonly ProblemType IdempotencyKeyReused = Add("idempotency-key-reused", 409,
        "Idempotency-Key schon verwendet", "Idempotency-Key already used",
        "Unter diesem Schlüssel wurde schon ein anderer Inhalt angenommen. Eine Wiederholung muss denselben Inhalt senden, eine neue Lieferung einen neuen Schlüssel.",
        "Another body was already taken under this key. A repeat must send the same body, a new push a new key.");

    public static readonly ProblemType IncompatibleContract = Add("incompatible-contract", 409,
        "Vertrag nicht verträglich", "Contract not compatible",
        "Das neue Schema würde vorhandene Zeilen umdeuten. Neue, nicht verpflichtende Felder sind erlaubt; sonst ist ein neuer Datensatz nötig.",
        "The new schema would change the meaning of stored rows. New optional fields are allowed; anything else needs a new dataset.");

    public static readonly ProblemType WatermarkGone = Add("watermark-gone", 410,
        "Wasserstand gehört zu einem früheren Bestand", "Watermark of an earlier installation",
        "Der Bestand wurde seither aus einer Sicherung wiederhergestellt. Ohne Wasserstand neu abfragen und nicht bestätigte Lieferungen wiederholen.",
        "The hub was restored from a backup since. Ask again without the watermark and repeat pushes that were not acknowledged.");

    public static readonly ProblemType TablesErased = Add("tables-erased", 410,
        "Tabellen wegen einer Löschung nicht mehr da", "Tables gone because of an erasure",
        "Zeilen, die dieser Lauf gelesen oder gebracht hatte, wurden gelöscht, und seine Tabellen mit ihnen. Einen neuen Lauf starten.",
        "Rows that this run had read or brought were erased, and its tables with them. Start a new run.");

    public static readonly ProblemType TooLarge = Add("too-large", 413,
        "Inhalt zu groß", "Body too large",
        "Das Detail nennt die Grenze. In mehreren Lieferungen senden.",
        "The detail names the limit. Send it in several pushes.");

    public static readonly ProblemType TooManyRows = Add("too-many-rows", 413,
        "Zu viele Zeilen", "Too many rows",
        "Das Detail nennt die Grenze. In mehreren Lieferungen senden.",
        "The detail names the limit. Send them in several pushes.");

    public static readonly ProblemType UnsupportedType = Add("unsupported-type", 415,
        "Inhaltstyp nicht unterstützt", "Content type not supported",
        "Diese Adresse nimmt den Inhaltstyp oder die Kodierung nicht an; welche sie annimmt, steht in /openapi/v1.json.",
        "This address does not take the content type or its encoding; /openapi/v1.json says which it takes.");

    // 422: understood and refused
    public static readonly ProblemType InvalidDataspace = Add("invalid-dataspace", 422,
        "Ungültige Angaben zum Datenraum", "Invalid dataspace",
        "Das Detail nennt, welche Angabe zum Datenraum oder zur Rolle fehlt oder nicht erlaubt ist.",
        "The detail says which member of the dataspace or the role is missing or not allowed.");

    public static readonly ProblemType InvalidAgreement = Add("invalid-agreement", 422,
        "Ungültige Angaben zur Vereinbarung", "Invalid agreement",
        "Das Detail nennt, welche Angabe der Bedingungen oder des Vorgangs fehlt oder nicht erlaubt ist.",
        "The detail says which member of the terms or of the act is missing or not allowed.");

    public static readonly ProblemType InvalidFile = Add("invalid-file", 422,
        "Datei nicht angenommen", "File not taken",
        "Das Detail nennt, was an der Datei oder ihrer Ankündigung nicht stimmt.",
        "The detail says what is wrong with the file or its announcement.");

    public static readonly ProblemType InvalidJob = Add("invalid-job", 422,
        "Ungültige Angaben zum Job oder Lauf", "Invalid job or run",
        "Das Detail nennt, welche Angabe der Definition oder des Auftrags nicht stimmt; errors nennt alle mit ihrer Stelle.",
        "The detail says which member of the definition or the order is wrong; errors names all with their places.");

    public static readonly ProblemType InvalidLineage = Add("invalid-lineage", 422,
        "Ungültiges Ereignis von OpenLineage", "Invalid event of OpenLineage",
        "Das Detail nennt die Stelle, und was das Schema eines RunEvent 2-0-2 dort verlangt.",
        "The detail names the place, and what the schema of a RunEvent 2-0-2 demands there.");

    public static readonly ProblemType InvalidEvidence = Add("invalid-evidence", 422,
        "Ungültige Anfrage nach einem Nachweis", "Invalid request for evidence",
        "Das Detail nennt, welche Angabe der Anfrage oder welches Feld des Schlüssels fehlt oder nicht passt. Nichts wurde aufgezeichnet.",
        "The detail says which member of the request or which field of the key is missing or does not fit. Nothing was logged.");

    public static readonly ProblemType InvalidAgency = Add("invalid-agency", 422,
        "Ungültige Angaben zur Behörde", "Invalid agency",
        "Das Detail nennt, welche Angabe fehlt oder nicht erlaubt ist.",
        "The detail says which member is missing or not allowed.");

    public static readonly ProblemType InvalidDataset = Add("invalid-dataset", 422,
        "Ungültige Beschreibung des Datensatzes", "Invalid dataset",
        "Das Detail nennt, welche Angabe fehlt oder nicht erlaubt ist.",
        "The detail says which member is missing or not allowed.");

    public static readonly ProblemType InvalidContract = Add("invalid-contract", 422,
        "Ungültiger Vertrag", "Invalid contract",
        "Das Schema des Datensatzes ist in sich nicht stimmig; „errors“ nennt jedes Feld mit Grund.",
        "The dataset's schema is not consistent; “errors” names each field with the reason.");

    public static readonly ProblemType InvalidFeed = Add("invalid-feed", 422,
        "Ungültige Angaben zur Datenquelle", "Invalid feed",
        "Das Detail nennt, welche Angabe fehlt oder nicht erlaubt ist.",
        "The detail says which member is missing or not allowed.");

    public static readonly ProblemType InvalidIndicator = Add("invalid-indicator", 422,
        "Ungültige Definition des Indikators", "Invalid indicator",
        "Das Detail nennt, welche Angabe fehlt oder nicht erlaubt ist.",
        "The detail says which member is missing or not allowed.");

    public static readonly ProblemType InvalidAreas = Add("invalid-areas", 422,
        "Ungültiges Gebietssystem", "Invalid area system",
        "Der Baum der Gebiete ist nicht stimmig; das Detail nennt das Gebiet und den Grund.",
        "The tree of areas is not consistent; the detail names the area and the reason.");

    public static readonly ProblemType LargerThanQuota = Add("larger-than-quota", 422,
        "Größer als das Kontingent eines Tages", "Larger than a day's quota",
        "Die Lieferung allein hat mehr Zeilen, als ihre Datenquelle an einem Tag bringen darf; das Detail nennt die Zahl.",
        "The push alone has more rows than its feed may bring in a day; the detail names the number.");

    public static readonly ProblemType InvalidAct = Add("invalid-act", 422,
        "Ungültiger Auftrag", "Invalid request for an act",
        "„errors“ nennt jede Angabe, die fehlt, unbekannt ist oder nicht passt.",
        "“errors” names every member that is missing, unknown or does not fit.");

    public static readonly ProblemType TooDeep = Add("too-deep", 422,
        "Zu tief verschachtelt", "Nested too deep",
        "Objekte und Listen liegen tiefer ineinander, als der Hub annimmt; das Detail nennt die Grenze. Nichts wurde gespeichert.",
        "Objects and arrays lie deeper within one another than the hub takes; the detail names the limit. Nothing was stored.");

    public static readonly ProblemType TooManyColumns = Add("too-many-columns", 422,
        "Zu viele Spalten", "Too many columns",
        "Die Lieferung hat mehr Spalten, als der Hub annimmt; das Detail nennt die Grenze. Nichts wurde gespeichert.",
        "The push has more columns than the hub takes; the detail names the limit. Nothing was stored.");

    public static readonly ProblemType AllQuarantined = Add("all-quarantined", 422,
        "Keine Zeile angenommen", "No row taken",
        "Alle Zeilen liegen in der Quarantäne; „errors“ nennt Zeile, Feld und Grund.",
        "All rows are in quarantine; “errors” names row, field and reason.");

    public static readonly ProblemType NotAtomic = Add("not-atomic", 422,
        "Nicht alle Zeilen zulässig", "Not every row passes",
        "Mit atomic=true wird alles oder nichts angenommen; „errors“ nennt die Zeilen, die nicht zulässig sind. Nichts wurde gespeichert.",
        "With atomic=true all is taken or nothing; “errors” names the rows that do not pass. Nothing was stored.");

    public static readonly ProblemType TooManyCells = Add("too-many-cells", 422,
        "Abfrage zu groß", "Query too large",
        "Die Abfrage würde mehr Zellen berühren oder mehr frühere Zeilen lesen, als eine Antwort darf; das Detail nennt die Grenze. Zeitraum oder Gebiet einschränken.",
        "The query would touch more cells or read more earlier rows than one answer may; the detail names the limit. Narrow the time range or the area.");

    public static readonly ProblemType LimitReached = Add("limit-reached", 422,
        "Grenze erreicht", "Limit reached",
        "Eine Obergrenze des Hubs ist erreicht; das Detail nennt sie.",
        "A limit of the hub is reached; the detail names it.");

    // 429, 5xx: later
    public static readonly ProblemType TooManyRequests = Add("too-many-requests", 429,
        "Zu viele Anfragen", "Too many requests",
        "Nach der in Retry-After genannten Zeit wiederholen.",
        "Repeat after the time named in Retry-After.");

    public static readonly ProblemType Internal = Add("internal", 500,
        "Fehler im Hub", "Error in the hub",
        "Das hätte nicht geschehen dürfen. Die Betreiber finden den Vorgang unter der „traceId“. Eine Lieferung darf mit demselben Idempotency-Key wiederholt werden.",
        "This should not have happened. Operators find it by the “traceId”. A push may be repeated with the same Idempotency-Key.");

    public static readonly ProblemType Unavailable = Add("unavailable", 503,
        "Vorübergehend nicht verfügbar", "Temporarily unavailable",
        "Der Speicher antwortet nicht, oder ein Teil des Hubs zieht gerade um. Nach der in Retry-After genannten Zeit wiederholen, Lieferungen mit demselben Idempotency-Key.",
        "The store does not answer, or a part of the hub is moving. Repeat after the time named in Retry-After, pushes with the same Idempotency-Key.");

    public static readonly ProblemType ShardFull = Add("shard-full", 503,
        "Annahme ausgelastet", "Intake busy",
        "Es warten schon so viele Lieferungen, wie die Warteschlange fasst. Nichts wurde gespeichert; nach der in Retry-After genannten Zeit wiederholen.",
        "As many pushes are waiting as the queue holds. Nothing was stored; repeat after the time named in Retry-After.");

    public static readonly ProblemType NotYet = Add("not-yet", 503,
        "Wasserstand noch nicht erreicht", "Watermark not reached yet",
        "Die Antwort kann den genannten Wasserstand noch nicht enthalten. Nach der in Retry-After genannten Zeit wiederholen.",
        "The answer cannot include the watermark yet. Repeat after the time named in Retry-After.");

    /// <summary>All kinds, by word.</summary>
    public static IEnumerable<ProblemType> All => s_byWord.Values.OrderBy(type => type.Word, StringComparer.Ordinal);

    /// <summary>The kind a word stands for, or null.</summary>
    public static ProblemType? Find(string word) => s_byWord.GetValueOrDefault(word);

    private static ProblemType Add(string word, int status, string titleDe, string titleEn, string helpDe, string helpEn)
    {
        var type = new ProblemType(word, status, new(titleDe, titleEn), new(helpDe, helpEn));
        s_byWord.Add(word, type);
        return type;
    }
}
