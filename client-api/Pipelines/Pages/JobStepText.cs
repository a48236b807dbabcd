using System.Globalization;

using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>What a step does, in sentences.</summary>
/// <param name="Code">SQL or a recipe as it is written; null: none.</param>
internal sealed record JobStepText(string[] Lines, string? Code)
{
    private const int MaxNamed = 20;

    public static JobStepText Of(Display display, StepSpec step) => step switch
    {
        { Read: { Hub: { } hub, Dataset: { } dataset } } => new(
            [display.Say($"Holt vor dem ersten Schritt eines Laufs alle Zeilen des Datensatzes „{dataset}“ vom Hub {hub}{Span(display, step.Read)}.", $"Fetches all rows of the dataset “{dataset}” from the hub {hub}{Span(display, step.Read)} before the first step of a run."), .. Key(display, step.Read), .. File(display, step.Read.File ?? new()).Skip(1)], null),
        { Read.Dataset: { } dataset } => new([Dataset(display, step.Read, dataset)], null),
        { Read.Url: { } url } => new([display.Say($"Holt vor dem ersten Schritt eines Laufs die Datei {url}.", $"Fetches the file {url} before the first step of a run."), .. Key(display, step.Read), .. File(display, step.Read.File ?? new()).Skip(1)], null),
        { Read: not null } => new([.. File(display, step.Read.File ?? new())], null),
        { Check: { } check } => new(
            [display.Say($"Prüft die Tabelle „{check.Input}“:", $"Checks the table “{check.Input}”:"), .. check.Rules.Select(rule => Rule(display, rule))], null),
        { Transform: { } transform } => new(
            [transform.Inputs.Length == 0 ? display.Say("Rechnet eine Tabelle aus.", "Computes a table.") : display.Say($"Rechnet eine Tabelle aus {Named(display, transform.Inputs)} aus.", $"Computes a table from {Named(display, transform.Inputs)}.")], transform.Sql),
        { Pseudonymise: { } pseudonymise } => new(
        [
            pseudonymise.Drop
                ? display.Say($"Lässt aus der Tabelle „{pseudonymise.Input}“ {Named(display, pseudonymise.Columns)} weg.", $"Leaves {Named(display, pseudonymise.Columns)} out of the table “{pseudonymise.Input}”.")
                : display.Say(
                    $"Ersetzt in der Tabelle „{pseudonymise.Input}“ die Werte von {Named(display, pseudonymise.Columns)} durch Pseudonyme für den Zweck „{pseudonymise.Purpose}“.",
                    $"Replaces the values of {Named(display, pseudonymise.Columns)} in the table “{pseudonymise.Input}” by pseudonyms for the purpose “{pseudonymise.Purpose}”."),
        ], null),
        { Place: { } place } => new([.. Place(display, place)], null),
        { Aggregate: { } aggregate } => new([.. Aggregate(display, aggregate)], null),
        { Recipe: { } recipe } => new([.. Recipe(display, recipe)], recipe.Definition),
        { Write: { } write } => new(
        [
            display.Say($"Schreibt die Tabelle „{write.Input}“ in den Datensatz „{write.Dataset}“, Datenquelle „{write.Feed}“.", $"Writes the table “{write.Input}” into the dataset “{write.Dataset}”, feed “{write.Feed}”."),
            write.MaxQuarantined == 0
                ? display.Say("Scheitert, sobald eine Zeile nicht zum Vertrag des Datensatzes passt.", "Fails as soon as a row does not fit the dataset's contract.")
                : display.Say($"Bis zu {display.Count(write.MaxQuarantined)} Zeilen dürfen in die Quarantäne gehen.", $"Up to {display.Count(write.MaxQuarantined)} rows may go to quarantine."),
        ], null),
        { Publish: { } publish } => new([display.Say($"Gibt den Datensatz „{publish.Dataset}“ frei, wenn seine Prüfliste es erlaubt.", $"Releases the dataset “{publish.Dataset}” if its checklist allows it.")], null),
        _ => new([], null),
    };

    private static IEnumerable<string> Key(Display display, ReadStep read)
    {
        if (read.Key is { } key) yield return display.Say($"Mit dem Schlüssel „{key}“ der Behörde, den nur dieser Server bekommt.", $"With the agency's key “{key}”, which this host alone gets.");
        if (read.Purpose is { } purpose) yield return display.Say($"Für den Zweck „{purpose}“ einer Vereinbarung.", $"For the purpose “{purpose}” of an agreement.");
    }

    private static string Dataset(Display display, ReadStep read, string dataset) => display.Say(
        $"Liest die Zeilen des Datensatzes „{dataset}“, wie sie beim Start eines Laufs stehen{Span(display, read)}.", $"Reads the rows of the dataset “{dataset}” as they stand when a run is started{Span(display, read)}.");

    private static string Span(Display display, ReadStep read) =>
        (read.From, read.To) switch
        {
            (null, null) => "",
            ({ } from, null) => display.Say($", ab {RunText.When(display, from)}", $", from {RunText.When(display, from)}"),
            (null, { } to) => display.Say($", vor {RunText.When(display, to)}", $", before {RunText.When(display, to)}"),
            ({ } from, { } to) => display.Say($", ab {RunText.When(display, from)} und vor {RunText.When(display, to)}", $", from {RunText.When(display, from)} and before {RunText.When(display, to)}"),
        };

    private static IEnumerable<string> File(Display display, FileFormat file)
    {
        yield return display.Say("Liest eine hochgeladene Datei, die beim Start eines Laufs gewählt wird.", "Reads an uploaded file that is chosen when a run is started.");
        var said = new (string Name, string? Value)[]
        {
            (display.Say("Art", "type"), file.Type), (display.Say("Zeichensatz", "encoding"), file.Encoding), (display.Say("Trennzeichen", "delimiter"), file.Delimiter), (display.Say("Dezimalzeichen", "decimal sign"), file.DecimalChar),
            (display.Say("Tabellenblatt", "sheet"), file.Sheet), (display.Say("Zeile der Überschriften", "line of the headings"), file.HeaderRow?.ToString(CultureInfo.InvariantCulture)),
            (display.Say("Zeitzone", "time zone"), file.TimeZone),
        }.Where(one => one.Value is not null).Select(one => $"{one.Name}: {one.Value}").ToArray();
        if (said.Length > 0) yield return string.Join(" · ", said);
        if (file.Columns is { Length: > 0 } columns)
            yield return display.Say("Spalten: ", "Columns: ") + Cut(columns.Select(column => $"{Quoted(display, column.Header)}{(column.Type is { } type ? $" ({type})" : "")}{(column.Name is { } name ? $" → {name}" : "")}"), columns.Length);
        if (file.MaxFaults > 0)
            yield return display.Say($"Bis zu {display.Count(file.MaxFaults)} Zeilen mit unpassenden Werten dürfen wegbleiben.", $"Up to {display.Count(file.MaxFaults)} rows with values that do not fit may be left out.");
    }

    private static IEnumerable<string> Place(Display display, PlaceStep place)
    {
        var by = place.Column is { } id ? display.Say($"der Kennung in „{id}“", $"the id in “{id}”")
            : place.Address is { } address ? Address(display, address)
            : display.Say($"dem Punkt in „{place.Lon}“ und „{place.Lat}“", $"the point in “{place.Lon}” and “{place.Lat}”");
        var level = place.Level is { } at ? display.Say($" der Ebene {at}", $" of level {at}") : "";
        yield return display.Say(
            $"Ordnet die Zeilen der Tabelle „{place.Input}“ nach {by} den Gebieten von „{place.AreaSystem}“{level} zu, in der Spalte „{place.Into}“.",
            $"Places the rows of the table “{place.Input}” by {by} in the areas of “{place.AreaSystem}”{level}, in the column “{place.Into}”.");
        if (place.MaxOutside is { } most)
            yield return display.Say($"Scheitert, wenn mehr als {display.Count(most)} Zeilen in keinem Gebiet liegen.", $"Fails if more than {display.Count(most)} rows lie in no area.");
    }

    private static string Address(Display display, PlaceAddress address)
    {
        string[] columns = [.. new[] { address.Street, address.Number, address.Suffix, address.Postcode }.OfType<string>()];
        return display.Say($"der Adresse in {Named(display, columns)}, wie sie im Register „{address.Register.Table}“ steht,", $"the address in {Named(display, columns)}, as the register “{address.Register.Table}” has it,");
    }

    private static IEnumerable<string> Aggregate(Display display, AggregateStep aggregate)
    {
        var by = aggregate.By.Select(key => key.Unit is { } unit ? $"{Quoted(display, key.Column)} ({Unit(display, unit)}{(key.Zone is { } zone ? ", " + zone : "")})" : Quoted(display, key.Column));
        yield return aggregate.By.Length == 0
            ? display.Say($"Fasst alle Zeilen der Tabelle „{aggregate.Input}“ zusammen.", $"Aggregates all rows of the table “{aggregate.Input}”.")
            : display.Say($"Fasst die Zeilen der Tabelle „{aggregate.Input}“ zusammen, je ", $"Aggregates the rows of the table “{aggregate.Input}” by ") + Cut(by, aggregate.By.Length);
        yield return Cut(aggregate.Measures.Select(measure => $"{Quoted(display, measure.Name)}: {Function(display, measure)}"), aggregate.Measures.Length);
        if (aggregate.MinimumCount is { } least)
            yield return display.Say($"Gruppen mit weniger als {display.Count(least)} Zeilen bleiben weg.", $"Groups of fewer than {display.Count(least)} rows are left out.");
    }

    private static string Unit(Display display, string unit) => unit switch
    {
        "year" => display.Say("Jahr", "year"),
        "quarter" => display.Say("Quartal", "quarter"),
        "month" => display.Say("Monat", "month"),
        "week" => display.Say("Woche", "week"),
        "day" => display.Say("Tag", "day"),
        _ => display.Say("Stunde", "hour"),
    };

    private static string Function(Display display, AggregateMeasure measure) => (measure.Function, measure.Column) switch
    {
        ("count", null) => display.Say("Zahl der Zeilen", "number of rows"),
        ("count", var column) => display.Say($"Zahl der Werte von „{column}“", $"number of values of “{column}”"),
        ("countDistinct", var column) => display.Say($"Zahl der verschiedenen Werte von „{column}“", $"number of different values of “{column}”"),
        ("sum", var column) => display.Say($"Summe von „{column}“", $"sum of “{column}”"),
        ("mean", var column) => display.Say($"Mittel von „{column}“", $"mean of “{column}”"),
        ("min", var column) => display.Say($"kleinster Wert von „{column}“", $"least value of “{column}”"),
        ("max", var column) => display.Say($"größter Wert von „{column}“", $"greatest value of “{column}”"),
        ("median", var column) => display.Say($"Median von „{column}“", $"median of “{column}”"),
        var (_, column) => display.Say($"{display.Number((measure.Share ?? 0) * 100, null)}-%-Quantil von „{column}“", $"{display.Number((measure.Share ?? 0) * 100, null)} % quantile of “{column}”"),
    };

    private static IEnumerable<string> Recipe(Display display, RecipeStep recipe)
    {
        yield return recipe.Name is { } name
            ? display.Say($"Rechnet aus der Tabelle „{recipe.Input}“ nach dem Rezept „{name}“ des Hubs.", $"Computes from the table “{recipe.Input}” by the hub's recipe “{name}”.")
            : display.Say($"Rechnet aus der Tabelle „{recipe.Input}“ nach einem eigenen Rezept.", $"Computes from the table “{recipe.Input}” by a recipe of its own.");
        if (recipe.Previous is { } previous) yield return display.Say($"Vergleicht mit der früheren Ausgabe in „{previous}“.", $"Compares with the earlier edition in “{previous}”.");
        if (recipe.Population is { } population) yield return display.Say($"Einwohner stehen in „{population}“.", $"Inhabitants stand in “{population}”.");
        if (recipe.Crosswalk is { } crosswalk) yield return display.Say($"Welcher Teil eines alten Gebiets in welchem neuen liegt, steht in „{crosswalk}“.", $"Which share of an old area is in which new one stands in “{crosswalk}”.");
    }

    private static string Rule(Display display, CheckRule rule)
    {
        var what = rule switch
        {
            { Required: true } => display.Say($"„{rule.Column}“ ist in jeder Zeile angegeben", $"“{rule.Column}” is given in every row"),
            { Enum: { } allowed } => display.Say($"„{rule.Column}“ ist eines von: {Cut(allowed, allowed.Length)}", $"“{rule.Column}” is one of: {Cut(allowed, allowed.Length)}"),
            { Pattern: { } pattern } => display.Say($"„{rule.Column}“ hat die Form {pattern}", $"“{rule.Column}” matches {pattern}"),
            { Unique: { } columns } => display.Say($"keine zwei Zeilen haben dasselbe in {Named(display, columns)}", $"no two rows have the same in {Named(display, columns)}"),
            { References: { } other } => display.Say($"jeder Wert von „{rule.Column}“ steht auch in „{other.Table}“, Spalte „{other.Column}“", $"every value of “{rule.Column}” stands in “{other.Table}”, column “{other.Column}”, too"),
            { Rows: { } rows } => display.Say("Zahl der Zeilen: ", "number of rows: ") + Range(display, rows.Minimum, rows.Maximum),
            { Contract: { } dataset } => display.Say($"keine Zeile ginge nach dem Vertrag von „{dataset}“ in die Quarantäne", $"no row would go to quarantine by the contract of “{dataset}”"),
            { Sql: { } sql } => display.Say($"für jede Zeile gilt: {sql}", $"for every row: {sql}"),
            { Drift: { } drift } => display.Say(
                $"{(rule.Column is { } column ? $"der Mittelwert von „{column}“" : "die Zahl der Zeilen")} weicht höchstens {display.Number(drift * 100, null)} % vom letzten fertigen Lauf ab",
                $"{(rule.Column is { } of ? $"the mean of “{of}”" : "the number of rows")} differs by at most {display.Number(drift * 100, null)} % from the last complete run"),
            _ => $"{Quoted(display, rule.Column!)}: {Range(display, rule.Minimum, rule.Maximum)}",
        };
        return what + (rule.Severity == "warn" ? display.Say("; sonst gibt es eine Warnung.", "; else there is a warning.") : display.Say("; sonst scheitert der Lauf.", "; else the run fails."));
    }

    private static string Range(Display display, double? least, double? greatest) => string.Join(display.Say(" und ", " and "), new[]
    {
        least is { } low ? display.Say("mindestens ", "at least ") + display.Number(low, null) : null, greatest is { } high ? display.Say("höchstens ", "at most ") + display.Number(high, null) : null,
    }.OfType<string>());

    private static string Named(Display display, string[] names) => Cut(names.Select(name => Quoted(display, name)), names.Length);

    private static string Quoted(Display display, string name) => display.Say($"„{name}“", $"“{name}”");

    private static string Cut(IEnumerable<string> texts, int count) => string.Join(", ", texts.Take(MaxNamed)) + (count > MaxNamed ? ", …" : "");
}
