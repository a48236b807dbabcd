using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Puts a result together, column by column. Values are asked for by position; rows that only the previous edition has are null.</summary>
internal sealed class ResultColumns(ResultSlot[] slots)
{
    private readonly List<TableColumn> _columns = [];
    private readonly List<Column> _values = [];

    public ResultSlot[] Slots => slots;

    public void AddKey(TableColumn named, SortedRows rows, SortedRows? before)
    {
        _columns.Add(named);
        _values.Add(named.Kind == ColumnKind.Text
            ? Column.OfTexts([.. slots.Select(slot => slot.Position >= 0 ? rows.Key.Texts![rows.Order[slot.Position]] : before!.Key.Texts![before.Order[slot.Before]])])
            : Column.OfIntegers([.. slots.Select(slot => slot.Position >= 0 ? rows.Key.Integers![rows.Order[slot.Position]] : before!.Key.Integers![before.Order[slot.Before]])]));
    }

    public void AddCarried(TableColumn named, Column values, SortedRows rows)
    {
        _columns.Add(named);
        var at = slots.Select(slot => slot.Position < 0 ? -1 : rows.Order[slot.Position]);
        _values.Add(values.Kind switch
        {
            ColumnKind.Text => Column.OfTexts([.. at.Select(row => row < 0 ? null : values.Texts![row])]),
            ColumnKind.Number => Column.OfNumbers([.. at.Select(row => row < 0 ? double.NaN : values.Numbers![row])]),
            ColumnKind.Integer => Column.OfIntegers([.. at.Select(row => row < 0 ? Column.NullInteger : values.Integers![row])]),
            _ => Column.OfBooleans([.. at.Select(row => row < 0 ? Column.NullBoolean : values.Booleans![row])]),
        });
    }

    public void AddNumbers(string name, Func<int, double?> value) => AddNumbers(name, slot => slot.Position < 0 ? null : value(slot.Position));

    public void AddTexts(string name, Func<int, string?> value) => AddTexts(name, slot => slot.Position < 0 ? null : value(slot.Position));

    public void AddNumbers(string name, Func<ResultSlot, double?> value)
    {
        _columns.Add(new(name, FieldType.Number));
        _values.Add(Column.OfNumbers([.. slots.Select(slot => value(slot) is { } number ? number + 0.0 : double.NaN)]));
    }

    public void AddTexts(string name, Func<ResultSlot, string?> value)
    {
        _columns.Add(new(name, FieldType.String));
        _values.Add(Column.OfTexts([.. slots.Select(value)]));
    }

    public void AddIntegers(string name, FieldType type, Func<ResultSlot, long?> value)
    {
        _columns.Add(new(name, type));
        _values.Add(Column.OfIntegers([.. slots.Select(slot => value(slot) ?? Column.NullInteger)]));
    }

    public RecipeResult Build(IEnumerable<RecipeNote> notes) =>
        new([.. _columns], new RowBlock { Count = slots.Length, Columns = [.. _values] }, [.. notes], []);
}
