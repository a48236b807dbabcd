using System.Text.Json;

using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>Steps in words, from definitions as they are written.</summary>
public sealed class JobStepTextTests
{
    [Theory]
    [InlineData("""{ "id": "a", "pseudonymise": { "input": "t", "columns": ["ausweis"], "purpose": "ausleihe" } }""", "Ersetzt in der Tabelle „t“ die Werte von „ausweis“ durch Pseudonyme für den Zweck „ausleihe“.")]
    [InlineData("""{ "id": "a", "pseudonymise": { "input": "t", "columns": ["ausweis"], "purpose": "ausleihe", "drop": true } }""", "Lässt aus der Tabelle „t“ „ausweis“ weg.")]
    [InlineData("""{ "id": "a", "place": { "input": "t", "lon": "x", "lat": "y", "areaSystem": "lor", "level": 3, "into": "plr", "maxOutside": 0 } }""", "Ordnet die Zeilen der Tabelle „t“ nach dem Punkt in „x“ und „y“ den Gebieten von „lor“ der Ebene 3 zu, in der Spalte „plr“.|Scheitert, wenn mehr als 0 Zeilen in keinem Gebiet liegen.")]
    [InlineData("""{ "id": "a", "place": { "input": "t", "address": { "street": "str", "number": "nr", "postcode": "plz", "register": { "table": "r", "street": "s", "number": "n", "postcode": "p", "area": "id" } }, "areaSystem": "lor", "into": "plr" } }""", "Ordnet die Zeilen der Tabelle „t“ nach der Adresse in „str“, „nr“, „plz“, wie sie im Register „r“ steht, den Gebieten von „lor“ zu, in der Spalte „plr“.")]
    [InlineData("""{ "id": "a", "check": { "input": "t", "rules": [ { "contract": "luft", "severity": "warn" } ] } }""", "Prüft die Tabelle „t“:|keine Zeile ginge nach dem Vertrag von „luft“ in die Quarantäne; sonst gibt es eine Warnung.")]
    [InlineData("""{ "id": "a", "aggregate": { "input": "t", "by": ["bezirk", { "time": "tag", "unit": "month" }], "measures": [ { "name": "n", "function": "count" }, { "name": "q", "function": "quantile", "column": "x", "share": 0.9 } ], "minimumCount": 5 } }""", "Fasst die Zeilen der Tabelle „t“ zusammen, je „bezirk“, „tag“ (Monat)|„n“: Zahl der Zeilen, „q“: 90-%-Quantil von „x“|Gruppen mit weniger als 5 Zeilen bleiben weg.")]
    [InlineData("""{ "id": "a", "read": { "url": "https://a.example/x.csv", "file": { "type": "csv" } } }""", "Holt vor dem ersten Schritt eines Laufs die Datei https://a.example/x.csv.|Art: csv")]
    [InlineData("""{ "id": "a", "read": { "hub": "https://nachbar.example", "dataset": "luft", "key": "nachbar", "purpose": "planung" } }""", "Holt vor dem ersten Schritt eines Laufs alle Zeilen des Datensatzes „luft“ vom Hub https://nachbar.example.|Mit dem Schlüssel „nachbar“ der Behörde, den nur dieser Server bekommt.|Für den Zweck „planung“ einer Vereinbarung.")]
    public void A_step_is_said_in_words(string definition, string lines)
    {
        var step = JsonSerializer.Deserialize<StepSpec>(definition, JsonSerializerOptions.Web)!;
        Assert.Equal(lines.Split('|'), JobStepText.Of(Display.German, step).Lines);
        Assert.Equal(lines.Split('|').Length, JobStepText.Of(Display.English, step).Lines.Length);
    }

    [Fact]
    public void Every_kind_of_step_has_a_word()
    {
        foreach (var kind in StepSpec.Kinds) Assert.NotEqual(kind, RunText.Kind(Display.German, kind));
    }
}
