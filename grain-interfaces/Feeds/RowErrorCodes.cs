using System.Collections.Frozen;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>The stable words that say why a row was quarantined, each with its sentence. A word, once published, keeps its meaning.</summary>
public static class RowErrorCodes
{
    // The row
    public const string MalformedRow = "malformed-row";
    public const string NotJson = "not-json";
    public const string WrongCellCount = "wrong-cell-count";
    public const string BrokenQuotes = "broken-quotes";
    public const string RowTooLarge = "row-too-large";
    public const string UnknownField = "unknown-field";
    public const string DuplicateField = "duplicate-field";
    public const string InvalidDelete = "invalid-delete";
    public const string TooDeep = "too-deep";
    public const string TooManyFields = "too-many-fields";

    // Types and formats
    public const string InvalidText = "invalid-text";
    public const string NotAString = "not-a-string";
    public const string NotAnEmail = "not-an-email";
    public const string NotAUri = "not-a-uri";
    public const string NotBase64 = "not-base64";
    public const string NotAUuid = "not-a-uuid";
    public const string NotANumber = "not-a-number";
    public const string AmbiguousNumber = "ambiguous-number";
    public const string NumberOutOfRange = "number-out-of-range";
    public const string NotAnInteger = "not-an-integer";
    public const string IntegerOutOfRange = "integer-out-of-range";
    public const string NotABoolean = "not-a-boolean";
    public const string NotAnObject = "not-an-object";
    public const string NotAnArray = "not-an-array";
    public const string NotADate = "not-a-date";
    public const string NotATime = "not-a-time";
    public const string NotADateTime = "not-a-datetime";
    public const string NotAYear = "not-a-year";
    public const string NotAYearMonth = "not-a-yearmonth";
    public const string NotADuration = "not-a-duration";
    public const string NotAGeoPoint = "not-a-geopoint";
    public const string NotGeoJson = "not-geojson";

    // Time
    public const string NoOffset = "no-offset";
    public const string SkippedLocalTime = "skipped-local-time";
    public const string AmbiguousLocalTime = "ambiguous-local-time";
    public const string TooFarInTheFuture = "too-far-in-the-future";
    public const string OlderThanRetention = "older-than-retention";
    public const string ClosedBeforeOpened = "closed-before-opened";

    // Constraints
    public const string Required = "required";
    public const string NotUnique = "not-unique";
    public const string TooShort = "too-short";
    public const string TooLong = "too-long";
    public const string BelowMinimum = "below-minimum";
    public const string AboveMaximum = "above-maximum";
    public const string PatternMismatch = "pattern-mismatch";
    public const string PatternTimeout = "pattern-timeout";
    public const string NotInEnum = "not-in-enum";

    // Place
    public const string UnknownArea = "unknown-area";
    public const string OutsideAllAreas = "outside-all-areas";
    public const string IncompletePoint = "incomplete-point";

    // Quarantine
    public const string OtherPartition = "other-partition";

    // {0} is RowError.Expected.
    private static readonly FrozenDictionary<string, LocalText> s_texts = new Dictionary<string, LocalText>
    {
        [MalformedRow] = new("Eine Zeile ist ein Objekt der Form {0}", "A row is an object of the form {0}"),
        [NotJson] = new("Die Zeile ist ab ihrem Byte {0} kein lesbares JSON", "The row is not readable JSON from its byte {0}"),
        [WrongCellCount] = new("Die Kopfzeile hat {0} Spalten, die Zeile nicht so viele Zellen", "The header has {0} columns, the row another number of cells"),
        [BrokenQuotes] = new("Die Anführungszeichen gehen nicht auf, ab Byte {0} der Zeile; ein Anführungszeichen im Text wird doppelt geschrieben", "The quotes do not match, from byte {0} of the row; a quote within a text is written twice"),
        [RowTooLarge] = new("Die Zeile ist größer als {0} Bytes", "The row is larger than {0} bytes"),
        [UnknownField] = new("Dieses Feld steht nicht im Vertrag des Datensatzes", "This field is not in the dataset's contract"),
        [DuplicateField] = new("Dieses Feld steht zweimal in der Zeile", "This field stands in the row twice"),
        [InvalidDelete] = new("@delete muss true oder false sein", "@delete must be true or false"),
        [TooDeep] = new("Objekte und Listen liegen tiefer als {0} Ebenen ineinander", "Objects and arrays lie deeper than {0} levels within one another"),
        [TooManyFields] = new("Die Zeile hat mehr als {0} Felder", "The row has more than {0} fields"),
        [InvalidText] = new("Der Text ist kein gültiges Unicode", "The text is not valid Unicode"),
        [NotAString] = new("Ein Text wird erwartet", "A text is expected"),
        [NotAnEmail] = new("Eine E-Mail-Adresse wird erwartet", "An e-mail address is expected"),
        [NotAUri] = new("Eine absolute URI wird erwartet", "An absolute URI is expected"),
        [NotBase64] = new("Base64 wird erwartet", "Base64 is expected"),
        [NotAUuid] = new("Eine UUID wird erwartet", "A UUID is expected"),
        [NotANumber] = new("Eine Zahl wird erwartet", "A number is expected"),
        [AmbiguousNumber] = new("Ob der Punkt Dezimaltrenner ist oder Tausender trennt, ist hier nicht zu erkennen; csv.decimalChar an der Datenquelle setzen ({0})", "Whether the point is the decimal separator or divides thousands cannot be told here; set csv.decimalChar of the feed ({0})"),
        [NumberOutOfRange] = new("Zahlen sind endlich und im Betrag 0 oder von {0}", "Numbers are finite and in magnitude 0 or from {0}"),
        [NotAnInteger] = new("Eine ganze Zahl wird erwartet", "An integer is expected"),
        [IntegerOutOfRange] = new("Die ganze Zahl passt nicht in 64 Bit", "The integer does not fit into 64 bits"),
        [NotABoolean] = new("Ein Wahrheitswert wird erwartet: {0}", "A boolean is expected: {0}"),
        [NotAnObject] = new("Ein JSON-Objekt wird erwartet", "A JSON object is expected"),
        [NotAnArray] = new("Ein JSON-Array wird erwartet", "A JSON array is expected"),
        [NotADate] = new("Ein Datum in der Form {0} wird erwartet", "A date in the form {0} is expected"),
        [NotATime] = new("Eine Uhrzeit in der Form {0} wird erwartet", "A time in the form {0} is expected"),
        [NotADateTime] = new("Ein Zeitpunkt in der Form {0} wird erwartet", "An instant in the form {0} is expected"),
        [NotAYear] = new("Ein Jahr von 0001 bis 9999 wird erwartet", "A year from 0001 to 9999 is expected"),
        [NotAYearMonth] = new("Ein Monat in der Form YYYY-MM wird erwartet", "A month in the form YYYY-MM is expected"),
        [NotADuration] = new("Eine Dauer nach ISO 8601 wird erwartet, etwa P1DT12H", "A duration as in ISO 8601 is expected, such as P1DT12H"),
        [NotAGeoPoint] = new("Ein Punkt in der Form {0} wird erwartet, Länge −180 bis 180, Breite −90 bis 90", "A point in the form {0} is expected, longitude −180 to 180, latitude −90 to 90"),
        [NotGeoJson] = new("Ein Objekt nach {0} wird erwartet", "An object as in {0} is expected"),
        [NoOffset] = new("Dem Zeitpunkt fehlt Z oder der Abstand zu UTC, und das Feld hat keine timeZone", "The instant lacks Z or an offset from UTC, and the field has no timeZone"),
        [SkippedLocalTime] = new("Diese Ortszeit gab es nicht: In {0} wurde die Uhr über sie hinweg vorgestellt", "There was no such local time: in {0} clocks were put forward over it"),
        [AmbiguousLocalTime] = new("Diese Ortszeit gab es in {0} zweimal; mit Abstand zu UTC senden", "There were two such local times in {0}; send it with an offset from UTC"),
        [TooFarInTheFuture] = new("Zeilen dürfen höchstens {0} voraus sein", "Rows may be at most {0} ahead"),
        [OlderThanRetention] = new("Zeilen vor {0} werden nicht mehr aufbewahrt", "Rows before {0} are no longer kept"),
        [ClosedBeforeOpened] = new("Das Ende liegt vor dem Beginn, {0}", "The end lies before the beginning, {0}"),
        [Required] = new("Ein Wert ist Pflicht", "A value is required"),
        [NotUnique] = new("Derselbe Wert steht in dieser Lieferung schon unter einem anderen Schlüssel", "The same value stands under another key in this push"),
        [TooShort] = new("Die Mindestlänge ist {0}", "{0} is the minimum length"),
        [TooLong] = new("Die Höchstlänge ist {0}", "{0} is the maximum length"),
        [BelowMinimum] = new("{0} ist das Minimum", "{0} is the minimum"),
        [AboveMaximum] = new("{0} ist das Maximum", "{0} is the maximum"),
        [PatternMismatch] = new("Der Wert passt nicht zum Muster {0}", "The value does not match the pattern {0}"),
        [PatternTimeout] = new("Der Abgleich mit dem Muster {0} dauerte zu lange", "Matching the pattern {0} took too long"),
        [NotInEnum] = new("Erlaubt sind: {0}", "Allowed are: {0}"),
        [UnknownArea] = new("Das Gebietssystem {0} kennt dieses Gebiet nicht", "The area system {0} does not know this area"),
        [OutsideAllAreas] = new("Der Punkt liegt in keinem Gebiet des Systems {0}", "The point lies in no area of the system {0}"),
        [OtherPartition] = new("Mit diesem Schlüssel gehört die Zeile in eine andere Partition; hier mit Begründung verwerfen und neu liefern", "With this key the row belongs to another partition; discard it here with a reason and push it anew"),
        [IncompletePoint] = new("Länge und Breite gehören zusammen; eine fehlt", "Longitude and latitude belong together; one is missing"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>All words, in ordinal order.</summary>
    public static IReadOnlyList<string> All { get; } = [.. s_texts.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The sentence for people; for a word that this version does not know, the word itself.</summary>
    public static LocalText Detail(RowError error)
    {
        if (!s_texts.TryGetValue(error.Code, out var text)) return new(error.Code, null);
        var expected = error.Expected ?? "–";
        return new(text.De.Replace("{0}", expected, StringComparison.Ordinal), text.En!.Replace("{0}", expected, StringComparison.Ordinal));
    }
}
