using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>How rows find their areas (<see cref="PlaceStep"/>). Pure.</summary>
internal static class PlaceRules
{
    /// <summary>The columns of the step's table: those of the input and the new one.</summary>
    /// <exception cref="StepException">A column is missing, of another type, or there already.</exception>
    public static TableColumn[] Columns(PlaceStep step, TableColumn[] input)
    {
        if (step.Column is { } id) input.Find(step.Input, id, FieldType.String);
        else if (step.Address is { } address) CheckAddress(input, step.Input, address.Street, address.Number, address.Suffix, address.Postcode);
        else CheckPoint(input, step.Input, step.Lon!, step.Lat!);

        if (Array.Exists(input, column => column.Has(step.Into)))
            throw new StepException(new($"Die Tabelle „{step.Input}“ hat schon eine Spalte „{step.Into}“.", $"The table “{step.Input}” has a column “{step.Into}” already."));
        return [.. input, new(step.Into, FieldType.String)];
    }

    /// <summary>Looks whether a table can be a register of addresses.</summary>
    /// <exception cref="StepException">A column is missing, or of another type.</exception>
    public static void CheckRegister(PlaceRegister register, TableColumn[] columns)
    {
        CheckAddress(columns, register.Table, register.Street, register.Number, register.Suffix, register.Postcode);
        if (register.Area is { } area) columns.Find(register.Table, area, FieldType.String);
        else CheckPoint(columns, register.Table, register.Lon!, register.Lat!);
    }

    /// <summary>Takes rows of the register.</summary>
    public static void Register(PlaceRegister register, TableColumn[] columns, RowBlock rows, IAreaVersion areas, int? level, AddressRegister into)
    {
        var (street, number, suffix, postcode) = (Of(register.Street)!, Of(register.Number), Of(register.Suffix), Of(register.Postcode));
        var (ids, longitudes, latitudes) = (Of(register.Area), Of(register.Lon), Of(register.Lat));
        for (var row = 0; row < rows.Count; row++)
        {
            var area = ids is not null ? ids.Texts![row] is { } id ? areas.Of(id, level) : null
                : longitudes!.IsNull(row) || latitudes!.IsNull(row) ? null
                : areas.At(longitudes.AsNumber(row), latitudes.AsNumber(row), level);
            into.Add(street.Texts![row], Text(number, row), Text(suffix, row), Text(postcode, row), area);
        }

        Column? Of(string? name) => name is null ? null : rows.Columns[columns.Find(register.Table, name)];
    }

    /// <summary>Rows of the input with their areas.</summary>
    /// <param name="count">Counts on.</param>
    /// <param name="register">Of addresses, where the step goes by them.</param>
    /// <exception cref="StepException">More than may lie in no area.</exception>
    public static RowBlock Apply(PlaceStep step, TableColumn[] input, RowBlock rows, IAreaVersion areas, PlaceCount count, AddressRegister? register = null)
    {
        var found = new string?[rows.Count];
        if (step.Column is { } name)
        {
            var ids = rows.Columns[input.Find(step.Input, name)].Texts!;
            for (var row = 0; row < found.Length; row++)
            {
                if (ids[row] is not { } id) count.Without++;
                else if ((found[row] = areas.Of(id, step.Level)) is null) Outside(row);
            }
        }
        else if (step.Address is { } address)
        {
            var (streets, numbers, suffixes, postcodes) = (Of(address.Street)!, Of(address.Number), Of(address.Suffix), Of(address.Postcode));
            for (var row = 0; row < found.Length; row++)
            {
                if (streets.Texts![row] is not { } street || string.IsNullOrWhiteSpace(street))
                {
                    count.Without++;
                    continue;
                }

                var (number, suffix, postcode) = (Text(numbers, row), Text(suffixes, row), Text(postcodes, row));
                var there = register!.Find(street, number, suffix, postcode);
                if ((found[row] = there.Area) is not null) continue;
                if (there.Kind == AddressKind.Unknown) count.Unknown++;
                else if (there.Kind == AddressKind.Ambiguous) count.Ambiguous++;
                if (there.Kind != AddressKind.Found) count.Note(there.Kind, street, $"{number}{suffix}", postcode, row);
                Outside(row);
            }
        }
        else
        {
            var (longitudes, latitudes) = (rows.Columns[input.Find(step.Input, step.Lon!)], rows.Columns[input.Find(step.Input, step.Lat!)]);
            for (var row = 0; row < found.Length; row++)
            {
                // Half a point is a fault, as it is in a push.
                if (longitudes.IsNull(row) && latitudes.IsNull(row)) count.Without++;
                else if ((found[row] = areas.At(longitudes.AsNumber(row), latitudes.AsNumber(row), step.Level)) is null) Outside(row);
            }
        }

        count.Rows += rows.Count;
        return new() { Count = rows.Count, Columns = [.. rows.Columns, Column.OfTexts(found)] };

        Column? Of(string? name) => name is null ? null : rows.Columns[input.Find(step.Input, name)];

        void Outside(int row)
        {
            count.Outside++;
            if (count.Outside <= (step.MaxOutside ?? long.MaxValue)) return;
            throw new StepException(new(
                $"Mehr als {step.MaxOutside} Zeilen liegen in keinem Gebiet von „{step.AreaSystem}“ (maxOutside), zum Beispiel Zeile {count.Rows + row + 1}.",
                $"More than {step.MaxOutside} rows lie in no area of “{step.AreaSystem}” (maxOutside), for example row {count.Rows + row + 1}."))
            { Notes = Addresses(step, count) };
        }
    }

    /// <summary>What is worth knowing.</summary>
    public static StepNote[] Notes(PlaceStep step, int version, PlaceCount count, AddressRegister? register = null)
    {
        var notes = new List<StepNote> { new("info", new($"Gebiete nach „{step.AreaSystem}“ in Fassung {version}.", $"Areas as of version {version} of “{step.AreaSystem}”.")) };
        if (register is not null)
        {
            var table = step.Address!.Register.Table;
            notes.Add(new("info", new($"Das Register „{table}“ hat {register.Rows} Zeilen mit {register.Count} Hausnummern.", $"The register “{table}” has {register.Rows} rows with {register.Count} house numbers.")));
            if (register.Unusable > 0) notes.Add(new("warning", new($"{register.Unusable} Zeilen des Registers haben keine lesbare Adresse.", $"{register.Unusable} rows of the register have no readable address.")));
            if (register.Outside > 0) notes.Add(new("warning", new($"{register.Outside} Zeilen des Registers liegen in keinem Gebiet.", $"{register.Outside} rows of the register lie in no area.")));
        }

        notes.AddRange(Addresses(step, count));
        var elsewhere = count.Outside - count.Unknown - count.Ambiguous;
        if (elsewhere > 0) notes.Add(new("warning", new($"{elsewhere} Zeilen liegen in keinem Gebiet.", $"{elsewhere} rows lie in no area.")));
        if (count.Without > 0) notes.Add(new("info", new($"{count.Without} Zeilen sagen nicht, wo sie liegen.", $"{count.Without} rows do not say where they lie.")));
        return [.. notes];
    }

    /// <summary>Addresses that came to nothing.</summary>
    private static StepNote[] Addresses(PlaceStep step, PlaceCount count)
    {
        if (step.Address is not { } address) return [];
        var notes = new List<StepNote>();
        if (count.Unknown > 0)
            notes.Add(With(AddressKind.Unknown, $"{count.Unknown} Zeilen haben eine Adresse, die nicht im Register „{address.Register.Table}“ steht", $"{count.Unknown} rows have an address that is not in the register “{address.Register.Table}”"));
        if (count.Ambiguous > 0)
        {
            var (de, en) = address.Postcode is null ? ("; mit einer Postleitzahl (postcode) ließe sie sich vielleicht unterscheiden", "; with a postcode it might be told apart") : ("", "");
            notes.Add(With(
                AddressKind.Ambiguous, $"{count.Ambiguous} Zeilen haben eine Adresse, die im Register „{address.Register.Table}“ in mehreren Gebieten steht{de}", $"{count.Ambiguous} rows have an address that the register “{address.Register.Table}” has in several areas{en}"));
        }

        return [.. notes];

        StepNote With(AddressKind kind, string de, string en)
        {
            var told = count.Examples(kind);
            return new("warning", new(
                told.Count == 0 ? de + "." : $"{de}, zum Beispiel {string.Join(", ", told.Select(one => $"„{one.Text}“ (Zeile {one.Row})"))}.",
                told.Count == 0 ? en + "." : $"{en}, for example {string.Join(", ", told.Select(one => $"“{one.Text}” (row {one.Row})"))}."));
        }
    }

    private static void CheckAddress(TableColumn[] columns, string table, string street, string number, string? suffix, string? postcode)
    {
        columns.Find(table, street, FieldType.String);
        foreach (var name in new[] { number, suffix, postcode }.OfType<string>()) columns.Find(table, name, FieldType.String, FieldType.Integer);
    }

    private static void CheckPoint(TableColumn[] columns, string table, string lon, string lat)
    {
        columns.Find(table, lon, FieldType.Number, FieldType.Integer);
        columns.Find(table, lat, FieldType.Number, FieldType.Integer);
    }

    private static string? Text(Column? column, int row) =>
        column is null || column.IsNull(row) ? null : column.Texts is { } texts ? texts[row] : column.Integers![row].ToString(CultureInfo.InvariantCulture);
}

/// <summary>Rows so far.</summary>
internal sealed class PlaceCount
{
    private const int MostExamples = 3, LongestExample = 60;

    private readonly Dictionary<AddressKind, List<(string Text, long Row)>> _examples = [];

    public long Rows { get; set; }

    /// <summary>That got no area, whatever the reason, though they say where they lie.</summary>
    public long Outside { get; set; }

    /// <summary>Of these, with an address that the register does not have.</summary>
    public long Unknown { get; set; }

    /// <summary>Of these, with an address that the register has in several areas.</summary>
    public long Ambiguous { get; set; }

    /// <summary>Without point, id or address.</summary>
    public long Without { get; set; }

    /// <summary>Whether values of rows may be told.</summary>
    public bool WithExamples { get; init; }

    /// <summary>The first addresses of a kind that may be told.</summary>
    public IReadOnlyList<(string Text, long Row)> Examples(AddressKind kind) => _examples.GetValueOrDefault(kind) ?? [];

    /// <summary>Keeps an address as an example.</summary>
    /// <param name="row">In its batch, from 0.</param>
    public void Note(AddressKind kind, string street, string number, string? postcode, int row)
    {
        if (!WithExamples) return;
        if (!_examples.TryGetValue(kind, out var told)) _examples[kind] = told = [];
        if (told.Count == MostExamples) return;
        var text = $"{street} {number}".Trim() + (postcode is null ? "" : $", {postcode}");
        if (text.Length > LongestExample) text = text[..(LongestExample - 1)] + "…";
        if (!told.Exists(one => one.Text == text)) told.Add((text, Rows + row + 1));
    }
}
