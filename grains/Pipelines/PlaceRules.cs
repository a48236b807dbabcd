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
        else
        {
            input.Find(step.Input, step.Lon!, FieldType.Number, FieldType.Integer);
            input.Find(step.Input, step.Lat!, FieldType.Number, FieldType.Integer);
        }

        if (Array.Exists(input, column => column.Has(step.Into)))
            throw new StepException(new($"Die Tabelle „{step.Input}“ hat schon eine Spalte „{step.Into}“.", $"The table “{step.Input}” has a column “{step.Into}” already."));
        return [.. input, new(step.Into, FieldType.String)];
    }

    /// <summary>Rows of the input with their areas.</summary>
    /// <param name="count">Counts on.</param>
    /// <exception cref="StepException">More than may lie in no area.</exception>
    public static RowBlock Apply(PlaceStep step, TableColumn[] input, RowBlock rows, IAreaVersion areas, PlaceCount count)
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

        void Outside(int row)
        {
            count.Outside++;
            if (count.Outside <= (step.MaxOutside ?? long.MaxValue)) return;
            throw new StepException(new(
                $"Mehr als {step.MaxOutside} Zeilen liegen in keinem Gebiet von „{step.AreaSystem}“ (maxOutside), zum Beispiel Zeile {count.Rows + row + 1}.",
                $"More than {step.MaxOutside} rows lie in no area of “{step.AreaSystem}” (maxOutside), for example row {count.Rows + row + 1}."));
        }
    }

    /// <summary>What is worth knowing.</summary>
    public static StepNote[] Notes(PlaceStep step, int version, PlaceCount count)
    {
        var notes = new List<StepNote> { new("info", new($"Gebiete nach „{step.AreaSystem}“ in Fassung {version}.", $"Areas as of version {version} of “{step.AreaSystem}”.")) };
        if (count.Outside > 0) notes.Add(new("warning", new($"{count.Outside} Zeilen liegen in keinem Gebiet.", $"{count.Outside} rows lie in no area.")));
        if (count.Without > 0) notes.Add(new("info", new($"{count.Without} Zeilen sagen nicht, wo sie liegen.", $"{count.Without} rows do not say where they lie.")));
        return [.. notes];
    }
}

/// <summary>Rows so far.</summary>
internal sealed class PlaceCount
{
    public long Rows { get; set; }

    /// <summary>In no area of the level.</summary>
    public long Outside { get; set; }

    /// <summary>Without point or id.</summary>
    public long Without { get; set; }
}
