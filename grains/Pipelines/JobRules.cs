using System.Globalization;
using System.Text.RegularExpressions;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What a job's definition must be, and what its steps need. Pure.</summary>
internal static partial class JobRules
{
    public static readonly string[] FileTypes = ["csv", "xlsx", "json", "ndjson", "geojson", "parquet"];

    public static readonly string[] ColumnTypes = ["string", "number", "integer", "boolean", "date", "time", "datetime"];

    [GeneratedRegex("^[a-z][a-z0-9_]{0,62}\\z")]
    private static partial Regex StepId();

    /// <summary>What goes into an address as another hub wrote it.</summary>
    [GeneratedRegex("^[A-Za-z0-9._-]{1,4096}\\z")]
    private static partial Regex LongToken();

    /// <summary>What goes into a header (<see cref="StatedUse.MaxPurpose"/>).</summary>
    [GeneratedRegex("^[!-~]{1,100}\\z")]
    private static partial Regex Purpose();

    /// <summary>Everything that is wrong with a definition in itself.</summary>
    public static List<JobProblem> Problems(JobSpec spec)
    {
        var problems = new List<JobProblem>();
        if (spec.Title is null || spec.Agency is null || spec.Steps is null || Array.Exists(spec.Steps, HasNull) || (spec.Triggers is { } triggers && Array.Exists(triggers, HasNull)))
        {
            Wrong("", "An einer Stelle steht null, an der etwas stehen muss.", "There is null where something has to be.");
            return problems;
        }

        if (spec.Title.De.Length is 0 or > JobLimits.NameLength * 2) Wrong("title", "Ein Titel hat 1 bis 256 Zeichen.", "A title has 1 to 256 characters.");
        if (!CatalogIds.IsValid(spec.Agency)) Wrong("agency", $"„{spec.Agency}“ ist keine Kennung.", $"“{spec.Agency}” is no id.");
        if (spec.Dataspace is not null && !CatalogIds.IsValid(spec.Dataspace)) Wrong("dataspace", $"„{spec.Dataspace}“ ist keine Kennung.", $"“{spec.Dataspace}” is no id.");
        if (spec.Steps.Length is 0 or > JobLimits.Steps) Wrong("steps", $"Ein Job hat 1 bis {JobLimits.Steps} Schritte.", $"A job has 1 to {JobLimits.Steps} steps.");
        var tables = new HashSet<string>(StringComparer.Ordinal);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < Math.Min(spec.Steps.Length, JobLimits.Steps); i++)
        {
            var (step, at) = (spec.Steps[i], $"steps[{i.ToString(CultureInfo.InvariantCulture)}]");
            if (!StepId().IsMatch(step.Id)) Wrong(at + ".id", $"„{step.Id}“: ein Kleinbuchstabe, dann Kleinbuchstaben, Ziffern und Unterstriche.", $"“{step.Id}”: a lower-case letter, then lower-case letters, digits and underscores.");
            else if (!ids.Add(step.Id)) Wrong(at + ".id", $"„{step.Id}“ heißt schon ein anderer Schritt.", $"Another step is called “{step.Id}” already.");
            if (step.Retries is < 0 or > 10) Wrong(at + ".retries", "0 bis 10.", "0 to 10.");
            if (step.Kind is null)
            {
                Wrong(at, $"Ein Schritt ist genau eines von {string.Join(", ", StepSpec.Kinds)}.", $"A step is exactly one of {string.Join(", ", StepSpec.Kinds)}.");
                continue;
            }

            foreach (var input in step.Inputs)
            {
                if (!tables.Contains(input)) Wrong($"{at}.{step.Kind}", $"„{input}“ ist kein früherer Schritt, der eine Tabelle macht.", $"“{input}” is no earlier step that makes a table.");
            }

            OfKind(step, $"{at}.{step.Kind}");
            if (step.MakesTable) tables.Add(step.Id);
        }

        foreach (var problem in TriggerRules.Problems(spec, StepId().IsMatch)) Wrong(problem.Path, problem.Detail.De, problem.Detail.In("en"));
        return problems;

        void Wrong(string path, string de, string en)
        {
            if (problems.Count < 100) problems.Add(new(path, new(de, en)));
        }

        void OfKind(StepSpec step, string at)
        {
            switch (step)
            {
                case { Read: { } read }: Read(read, at); break;
                case { Check: { } check }: Check(check, at); break;
                case { Transform: { } transform }:
                    if (transform.Inputs.Length is 0 or > JobLimits.Inputs) Wrong(at + ".inputs", $"1 bis {JobLimits.Inputs} Tabellen.", $"1 to {JobLimits.Inputs} tables.");
                    if (transform.Sql.Length is 0 or > JobLimits.SqlLength) Wrong(at + ".sql", $"1 bis {JobLimits.SqlLength} Zeichen.", $"1 to {JobLimits.SqlLength} characters.");
                    break;
                case { Pseudonymise: { } pseudonymise }:
                    Names(pseudonymise.Columns, JobLimits.Columns, at + ".columns");
                    if (!CatalogIds.IsValid(pseudonymise.Purpose)) Wrong(at + ".purpose", $"„{pseudonymise.Purpose}“ ist keine Kennung.", $"“{pseudonymise.Purpose}” is no id.");
                    break;
                case { Place: { } place }: Place(place, at); break;
                case { Aggregate: { } aggregate }: Aggregate(aggregate, at); break;
                case { Recipe: { } recipe }:
                    if (recipe.Name is null == recipe.Definition is null) Wrong(at, "Entweder name (ein mitgeliefertes Rezept) oder definition.", "Either name (a recipe that the hub brings) or definition.");
                    else if (recipe.Name is not null && RecipeSteps.Shipped(recipe.Name) is null) Wrong(at + ".name", $"Ein Rezept „{recipe.Name}“ bringt der Hub nicht mit; er bringt: {string.Join(", ", RecipeSteps.Names)}.", $"The hub brings no recipe “{recipe.Name}”; it brings: {string.Join(", ", RecipeSteps.Names)}.");
                    foreach (var problem in RecipeSteps.Problems(recipe)) Wrong($"{at}.definition.{problem.Path}".TrimEnd('.'), problem.Detail.De, problem.Detail.In("en"));
                    break;
                case { Write: { } write }:
                    if (!CatalogIds.IsValid(write.Dataset)) Wrong(at + ".dataset", $"„{write.Dataset}“ ist keine Kennung.", $"“{write.Dataset}” is no id.");
                    if (!CatalogIds.IsValid(write.Feed)) Wrong(at + ".feed", $"„{write.Feed}“ ist keine Kennung.", $"“{write.Feed}” is no id.");
                    if (write.MaxQuarantined is < 0 or > 1_000_000) Wrong(at + ".maxQuarantined", "0 bis 1.000.000.", "0 to 1,000,000.");
                    break;
                case { Publish: { } publish }:
                    if (!CatalogIds.IsValid(publish.Dataset)) Wrong(at + ".dataset", $"„{publish.Dataset}“ ist keine Kennung.", $"“{publish.Dataset}” is no id.");
                    break;
            }
        }

        void Names(string[] columns, int most, string at)
        {
            if (columns.Length is 0 || columns.Length > most) Wrong(at, $"1 bis {most} Spalten.", $"1 to {most} columns.");
            if (columns.Distinct(StringComparer.OrdinalIgnoreCase).Count() < columns.Length) Wrong(at, "Eine Spalte steht zweimal da.", "A column stands there twice.");
        }

        void Place(PlaceStep place, string at)
        {
            if (!CatalogIds.IsValid(place.AreaSystem)) Wrong(at + ".areaSystem", $"„{place.AreaSystem}“ ist keine Kennung.", $"“{place.AreaSystem}” is no id.");
            var ways = (place.Lon is not null || place.Lat is not null ? 1 : 0) + (place.Column is not null ? 1 : 0) + (place.Address is not null ? 1 : 0);
            if (ways != 1 || place.Lon is null != place.Lat is null) Wrong(at, "Genau eines von lon und lat (ein Punkt), column (eine Kennung), address (eine Adresse).", "Exactly one of lon and lat (a point), column (an id), address (an address).");
            if (place.Address is { } address)
            {
                var register = address.Register;
                if (register.Lon is null != register.Lat is null || register.Lon is null == register.Area is null) Wrong(at + ".address.register", "Entweder area (eine Kennung) oder lon und lat (ein Punkt).", "Either area (an id) or lon and lat (a point).");
                if (address.Postcode is not null && register.Postcode is null) Wrong(at + ".address.register.postcode", "Es fehlt, wo die Postleitzahl im Register steht.", "It is missing where the postcode stands in the register.");
            }

            if (place.Into.Length is 0 or > JobLimits.NameLength) Wrong(at + ".into", $"1 bis {JobLimits.NameLength} Zeichen.", $"1 to {JobLimits.NameLength} characters.");
            if (place.Level is < 0) Wrong(at + ".level", "0 (die gröbste Ebene) oder mehr.", "0 (the coarsest level) or more.");
            if (place.MaxOutside is < 0 or > 1_000_000_000) Wrong(at + ".maxOutside", "0 bis 1.000.000.000.", "0 to 1,000,000,000.");
        }

        void Aggregate(AggregateStep aggregate, string at)
        {
            if (aggregate.By.Length > JobLimits.Keys) Wrong(at + ".by", $"Höchstens {JobLimits.Keys} Spalten.", $"At most {JobLimits.Keys} columns.");
            if (aggregate.Measures.Length is 0 or > JobLimits.Rules) Wrong(at + ".measures", $"1 bis {JobLimits.Rules} Maße.", $"1 to {JobLimits.Rules} measures.");
            if (aggregate.MinimumCount is < 2 or > 1_000_000) Wrong(at + ".minimumCount", "2 bis 1.000.000.", "2 to 1,000,000.");
            var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            for (var k = 0; k < Math.Min(aggregate.By.Length, JobLimits.Keys); k++)
            {
                var (key, spot) = (aggregate.By[k], $"{at}.by[{k.ToString(CultureInfo.InvariantCulture)}]");
                if (key.Unit is not null && !AggregateRules.Units.Contains(key.Unit)) Wrong(spot + ".unit", $"Eines von {string.Join(", ", AggregateRules.Units)}.", $"One of {string.Join(", ", AggregateRules.Units)}.");
                if (key.Zone is not null && !(TimeZoneInfo.TryFindSystemTimeZoneById(key.Zone, out var zone) && zone.HasIanaId)) Wrong(spot + ".zone", $"Die Zeitzone „{key.Zone}“ ist unbekannt; Namen wie Europe/Berlin sind gemeint.", $"The time zone “{key.Zone}” is not known; names such as Europe/Berlin are meant.");
                Name(key.Name ?? key.Column, spot);
            }

            for (var m = 0; m < Math.Min(aggregate.Measures.Length, JobLimits.Rules); m++)
            {
                var (measure, spot) = (aggregate.Measures[m], $"{at}.measures[{m.ToString(CultureInfo.InvariantCulture)}]");
                if (!AggregateRules.Functions.Contains(measure.Function)) Wrong(spot + ".function", $"Eines von {string.Join(", ", AggregateRules.Functions)}.", $"One of {string.Join(", ", AggregateRules.Functions)}.");
                if (measure.Column is null && measure.Function != "count") Wrong(spot + ".column", "Es fehlt, über welche Spalte gerechnet wird.", "It is missing over which column it is.");
                if (measure.Function == "quantile" ? measure.Share is not (>= 0 and <= 1) : measure.Share is not null) Wrong(spot + ".share", "Ein Quantil hat einen Anteil von 0 bis 1, andere Funktionen keinen.", "A quantile has a share of 0 to 1, other functions have none.");
                Name(measure.Name, spot);
            }

            void Name(string name, string spot)
            {
                if (name.Length is 0 or > JobLimits.NameLength) Wrong(spot + ".name", $"1 bis {JobLimits.NameLength} Zeichen.", $"1 to {JobLimits.NameLength} characters.");
                if (!names.Add(name)) Wrong(spot + ".name", $"„{name}“ heißt schon eine andere Spalte des Ergebnisses.", $"Another column of the result is called “{name}” already.");
            }
        }

        void Read(ReadStep read, string at)
        {
            if (read.Hub is { } hub)
            {
                if (read.Dataset is null) Wrong(at + ".dataset", "Es fehlt, welchen Datensatz der andere Hub geben soll (dataset).", "It is missing which dataset the other hub is to give (dataset).");
                if (PullRules.Fault(hub) is not null || new Uri(hub) is { Query.Length: > 0 }) Wrong(at + ".hub", "Die Adresse eines Hubs, etwa https://hub.example.org, ohne Kennwort, Fragezeichen und Sprungmarke.", "The address of a hub, such as https://hub.example.org, without password, question mark and fragment.");
                if (read.Url is not null) Wrong(at + ".url", "Entweder hub (ein Datensatz eines anderen Hubs) oder url (eine Datei).", "Either hub (a dataset of another hub) or url (a file).");
                if (read.OfPeriod) Wrong(at + ".ofPeriod", "ofPeriod gibt es für eigene Datensätze; hier from und to.", "ofPeriod is for datasets of this hub; here from and to.");
                if (read.File?.Type is not (null or "ndjson")) Wrong(at + ".file.type", "Ein Hub gibt seine Zeilen als ndjson.", "A hub gives its rows as ndjson.");
                if (read.Watermark is { } least && !LongToken().IsMatch(least)) Wrong(at + ".watermark", "Ein watermark, wie eine Antwort des anderen Hubs ihn nannte.", "A watermark as an answer of the other hub named it.");
            }
            else if (read.File is null == read.Dataset is null)
            {
                Wrong(at, "Gelesen wird entweder eine Datei (file) oder ein Datensatz (dataset).", "Either a file (file) or a dataset (dataset) is read.");
                return;
            }

            if (read.Hub is null && read.Watermark is not null) Wrong(at + ".watermark", "watermark gibt es mit hub; von eigenen Datensätzen legt jeder Lauf ihn selbst fest.", "watermark is with hub; of datasets of this hub every run pins it itself.");
            if (read.Hub is null && read.Url is null && (read.Key ?? read.Purpose) is not null) Wrong(at + (read.Key is null ? ".purpose" : ".key"), "key und purpose gibt es mit url oder hub.", "key and purpose are with url or hub.");
            if (read.Key is { } key && !CatalogIds.IsValid(key)) Wrong(at + ".key", $"„{key}“ ist keine Kennung.", $"“{key}” is no id.");
            if (read.Purpose is { } purpose && !Purpose().IsMatch(purpose)) Wrong(at + ".purpose", $"Ein Zweck hat 1 bis {StatedUse.MaxPurpose} Zeichen (ASCII, ohne Leerzeichen).", $"A purpose has 1 to {StatedUse.MaxPurpose} characters (ASCII, no blanks).");

            if (read.Dataset is { } dataset && !CatalogIds.IsValid(dataset)) Wrong(at + ".dataset", $"„{dataset}“ ist keine Kennung.", $"“{dataset}” is no id.");
            if (read.Url is { } url)
            {
                if (read.File is null) Wrong(at + ".url", "Eine Adresse hat, wer eine Datei liest (file).", "An address is for what reads a file (file).");
                else if (PullRules.Fault(url) is { } fault) Wrong(at + ".url", fault.De, fault.In("en"));
            }

            if (read.From >= read.To) Wrong(at + ".to", "to liegt nach from.", "to is after from.");
            if (read.File is not { } file) return;
            if (file.Type is not null && !FileTypes.Contains(file.Type)) Wrong(at + ".file.type", $"Eines von {string.Join(", ", FileTypes)}.", $"One of {string.Join(", ", FileTypes)}.");
            if (file.Encoding is not (null or "utf-8" or "utf-16" or "windows-1252")) Wrong(at + ".file.encoding", "utf-8, utf-16 oder windows-1252.", "utf-8, utf-16 or windows-1252.");
            if (file.Delimiter is not null && (file.Delimiter.Length != 1 || file.Delimiter[0] is '"' or '\r' or '\n' or > '~' || char.IsLetterOrDigit(file.Delimiter[0]))) Wrong(at + ".file.delimiter", "Ein Zeichen, das weder Buchstabe noch Ziffer noch Anführungszeichen ist.", "One character that is neither letter nor digit nor quotation mark.");
            if (file.DecimalChar is not (null or "," or ".")) Wrong(at + ".file.decimalChar", "„,“ oder „.“.", "“,” or “.”.");
            if (file.HeaderRow is < 1 or > 1_000) Wrong(at + ".file.headerRow", "1 bis 1.000.", "1 to 1,000.");
            if (file.Type is { } type && FileTypes.Contains(type) && Misplaced(file, type) is { } setting) Wrong($"{at}.file.{setting}", $"Für {type} gibt es {setting} nicht.", $"There is no {setting} for {type}.");
            if (file.Sheet?.Length is 0 or > JobLimits.NameLength) Wrong(at + ".file.sheet", $"1 bis {JobLimits.NameLength} Zeichen.", $"1 to {JobLimits.NameLength} characters.");
            if (file.TimeZone is { } zone && !(TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) && found.HasIanaId)) Wrong(at + ".file.timeZone", "Ein IANA-Name, etwa Europe/Berlin.", "An IANA name, such as Europe/Berlin.");
            if (file.MaxFaults is < 0 or > 1_000_000) Wrong(at + ".file.maxFaults", "0 bis 1.000.000.", "0 to 1,000,000.");
            if (file.Columns is not { } columns) return;
            if (columns.Length is 0 or > JobLimits.Columns) Wrong(at + ".file.columns", $"1 bis {JobLimits.Columns} Spalten.", $"1 to {JobLimits.Columns} columns.");
            var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            for (var c = 0; c < Math.Min(columns.Length, JobLimits.Columns); c++)
            {
                var (column, place) = (columns[c], $"{at}.file.columns[{c.ToString(CultureInfo.InvariantCulture)}]");
                if (column.Type is not null && !ColumnTypes.Contains(column.Type)) Wrong(place + ".type", $"Eines von {string.Join(", ", ColumnTypes)}.", $"One of {string.Join(", ", ColumnTypes)}.");
                if (column.Header.Length is 0 or > JobLimits.NameLength) Wrong(place + ".header", $"1 bis {JobLimits.NameLength} Zeichen.", $"1 to {JobLimits.NameLength} characters.");
                if (column.Name?.Length is 0 or > JobLimits.NameLength) Wrong(place + ".name", $"1 bis {JobLimits.NameLength} Zeichen.", $"1 to {JobLimits.NameLength} characters.");
                if (column.Format is { } format && Pattern(format, column.Type) is { } fault) Wrong(place + ".format", fault.De, fault.In("en"));
                if (!names.Add(column.Name ?? ColumnName(column.Header))) Wrong(place + ".name", "So heißt schon eine andere Spalte.", "Another column has this name already.");
            }
        }

        void Check(CheckStep check, string at)
        {
            if (check.Rules.Length is 0 or > JobLimits.Rules) Wrong(at + ".rules", $"1 bis {JobLimits.Rules} Regeln.", $"1 to {JobLimits.Rules} rules.");
            for (var r = 0; r < Math.Min(check.Rules.Length, JobLimits.Rules); r++)
            {
                var (rule, place) = (check.Rules[r], $"{at}.rules[{r.ToString(CultureInfo.InvariantCulture)}]");
                if (rule.Severity is not ("block" or "warn")) Wrong(place + ".severity", "block oder warn.", "block or warn.");
                var kinds = new[] { rule.Required, rule.Minimum is not null || rule.Maximum is not null, rule.Enum is not null, rule.Pattern is not null, rule.Unique is not null, rule.References is not null, rule.Rows is not null, rule.Sql is not null, rule.Drift is not null, rule.Contract is not null };
                if (kinds.Count(kind => kind) != 1) Wrong(place, "Eine Regel ist genau eines von required, minimum/maximum, enum, pattern, unique, references, rows, sql, drift, contract.", "A rule is exactly one of required, minimum/maximum, enum, pattern, unique, references, rows, sql, drift, contract.");
                var whole = rule.Unique is not null || rule.Rows is not null || rule.Sql is not null || rule.Contract is not null;
                if (rule.Drift is null && whole == rule.Column is not null) Wrong(place + ".column", whole ? "Diese Regel gilt der ganzen Tabelle." : "Es fehlt, für welche Spalte die Regel gilt.", whole ? "This rule is about the whole table." : "It is missing for which column the rule is.");
                if (rule.Enum is { Length: 0 or > 1_000 }) Wrong(place + ".enum", "1 bis 1.000 Werte.", "1 to 1,000 values.");
                if (rule.Pattern is { Length: 0 or > 1_000 }) Wrong(place + ".pattern", "1 bis 1.000 Zeichen.", "1 to 1,000 characters.");
                if (rule.Unique is { Length: 0 or > 20 }) Wrong(place + ".unique", "1 bis 20 Spalten.", "1 to 20 columns.");
                if (rule.Sql is { Length: 0 or > 10_000 }) Wrong(place + ".sql", "1 bis 10.000 Zeichen.", "1 to 10,000 characters.");
                if (rule.Contract is { } contract && !CatalogIds.IsValid(contract)) Wrong(place + ".contract", $"„{contract}“ ist keine Kennung.", $"“{contract}” is no id.");
                if (rule.Drift is <= 0 or > 1_000) Wrong(place + ".drift", "Größer als 0.", "Greater than 0.");
            }
        }
    }

    /// <summary>The first setting that means nothing for files of a type; null: there is none.</summary>
    public static string? Misplaced(FileFormat file, string type) =>
        file.Encoding is not null && type != "csv" ? "encoding"
        : file.Delimiter is not null && type != "csv" ? "delimiter"
        : file.HeaderRow is not null && type is not ("csv" or "xlsx") ? "headerRow"
        : file.Sheet is not null && type != "xlsx" ? "sheet"
        : null;

    private static LocalText? Pattern(string format, string? type)
    {
        if (type is not ("date" or "time" or "datetime")) return new("format gibt es für date, time und datetime.", "format is for date, time and datetime.");
        try
        {
            StrptimePattern.Compile(format, JobSql.TypeOf(type));
            return null;
        }
        catch (FormatException e)
        {
            return new($"„{format}“ ist kein Muster für {type}: {e.Message}", $"“{format}” is no pattern for {type}: {e.Message}");
        }
    }

    private static bool HasNull(StepSpec? step) => step?.Id is null
        || (step.Read?.File is { } file && ((file.Columns is { } columns && Array.Exists(columns, column => column?.Header is null)) || (file.MissingValues is { } words && Array.Exists(words, word => word is null))))
        || (step.Check is { } check && (check.Input is null || check.Rules is null || Array.Exists(check.Rules, rule => rule?.Severity is null || (rule.References is { } other && (other.Table is null || other.Column is null)) || HasNull(rule.Enum) || HasNull(rule.Unique))))
        || (step.Transform is { } transform && (transform.Sql is null || transform.Inputs is null || HasNull(transform.Inputs)))
        || (step.Pseudonymise is { } pseudonymise && (pseudonymise.Input is null || pseudonymise.Purpose is null || pseudonymise.Columns is null || HasNull(pseudonymise.Columns)))
        || (step.Place is { } place && (place.Input is null || place.AreaSystem is null || place.Into is null || (place.Address is { } address && (address.Street is null || address.Number is null || address.Register?.Table is null || address.Register.Street is null || address.Register.Number is null))))
        || (step.Aggregate is { } aggregate && (aggregate.Input is null || aggregate.By is null || aggregate.Measures is null || Array.Exists(aggregate.By, key => key?.Column is null) || Array.Exists(aggregate.Measures, measure => measure?.Name is null || measure.Function is null)))
        || (step.Recipe is { } recipe && recipe.Input is null)
        || (step.Write is { } write && (write.Input is null || write.Dataset is null || write.Feed is null))
        || (step.Publish is { } publish && publish.Dataset is null);

    private static bool HasNull(TriggerSpec? trigger) => trigger?.Id is null
        || (trigger.Schedule is { } schedule && (schedule.Cron is null || schedule.TimeZone is null || schedule.CatchUp is null))
        || (trigger.NewRows is { } rows && (rows.Dataset is null || rows.Quiet is null || rows.AtMost is null))
        || (trigger.Upload is { } upload && (upload.Step is null || upload.Name is null));

    private static bool HasNull(string?[]? texts) => texts is not null && Array.Exists(texts, text => text is null);

    /// <summary>The column's name that a heading gives.</summary>
    public static string ColumnName(string header)
    {
        var name = new string([.. header.Trim().Select(c => char.IsLetterOrDigit(c) ? c : '_')]);
        return name.Length == 0 ? "_" : name.Length <= TableColumn.LongestName ? name : name[..TableColumn.LongestName];
    }

    /// <summary>What has to be allowed for the steps, dataset by dataset.</summary>
    public static IEnumerable<(string Dataset, AccessRights Right, string Path)> Needs(JobSpec spec)
    {
        for (var i = 0; i < spec.Steps.Length; i++)
        {
            var at = $"steps[{i.ToString(CultureInfo.InvariantCulture)}]";
            if (spec.Steps[i].Read?.Own() is { } read) yield return (read, AccessRights.ReadRows, at + ".read.dataset");
            if (spec.Steps[i].Write?.Dataset is { } written) yield return (written, AccessRights.Push, at + ".write.dataset");
            for (var r = 0; r < (spec.Steps[i].Check?.Rules.Length ?? 0); r++)
            {
                // Who tries what a dataset would take may write into it.
                if (spec.Steps[i].Check!.Rules[r].Contract is { } tried) yield return (tried, AccessRights.Push, $"{at}.check.rules[{r.ToString(CultureInfo.InvariantCulture)}].contract");
            }

            if (spec.Steps[i].Publish?.Dataset is { } published) yield return (published, AccessRights.Release, at + ".publish.dataset");
        }

        for (var i = 0; i < (spec.Triggers?.Length ?? 0); i++)
        {
            // Who is told of new rows may read them.
            if (spec.Triggers![i].NewRows?.Dataset is { } watched) yield return (watched, AccessRights.ReadRows, $"triggers[{i.ToString(CultureInfo.InvariantCulture)}].newRows.dataset");
        }
    }

    /// <summary>Whether what a step makes goes, in whatever way, into one that makes pseudonyms of it: then it names people.</summary>
    public static bool IsNaming(JobSpec spec, string step)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal) { step };
        foreach (var later in spec.Steps.Where(later => later.Inputs.Any(reached.Contains)))
        {
            if (later.Pseudonymise is not null) return true;
            reached.Add(later.Id);
        }

        return false;
    }

    /// <summary>Who a run is where it reads and writes: the job's agency, narrowed to what the job names.</summary>
    public static Caller Acting(string job, JobSpec spec) => new(spec.Agency, KeyRole.Admin, "job:" + job)
    {
        Scope = new(AccessRights.ReadMetadata | AccessRights.ReadRows | AccessRights.ReadReceipts | AccessRights.Push | AccessRights.Release, [.. Needs(spec).Select(need => need.Dataset).Distinct()], null),
    };
}
