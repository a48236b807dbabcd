using System.Runtime.CompilerServices;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>
/// Where the values of a contract's rows lie while they are read: a row's texts side by side in one array, everything
/// else of it as 64 bits in another. Made once per contract; immutable.
/// </summary>
internal sealed class RowLayout
{
    /// <summary>Before a row's values: its number in the push, that of its area, and whether it retracts its key.</summary>
    public const int Number = 0, Area = 1, Delete = 2;

    private static readonly ConditionalWeakTable<CompiledContract, RowLayout> s_layouts = [];

    private RowLayout(CompiledContract contract)
    {
        var (values, texts) = (Delete + 1, 0);
        Fields = [.. contract.Fields.Select(field => (field.Kind, field.Kind == ColumnKind.Text ? texts++ : values++))];
        Texts = texts;
        Empty = new long[values];
        Empty[Area] = -1;
        foreach (var (kind, at) in Fields)
            if (kind != ColumnKind.Text) Empty[at] = Null(kind);
        Required = [.. contract.Fields.Where(field => field.Required).Select(field => field.Ordinal)];
        Unique = [.. contract.Fields.Where(field => field.Unique).Select(field => field.Ordinal)];
    }

    public static RowLayout Of(CompiledContract contract) => s_layouts.GetValue(contract, static contract => new(contract));

    /// <summary>By ordinal: the kind, and the place in its array.</summary>
    public (ColumnKind Kind, int At)[] Fields { get; }

    /// <summary>A row without values, all but the texts.</summary>
    public long[] Empty { get; }

    /// <summary>How many fields are texts.</summary>
    public int Texts { get; }

    /// <summary>Ordinals of the fields that must have a value.</summary>
    public int[] Required { get; }

    /// <summary>Ordinals of the fields whose values may not repeat.</summary>
    public int[] Unique { get; }

    private static long Null(ColumnKind kind) => kind switch
    {
        ColumnKind.Number => BitConverter.DoubleToInt64Bits(double.NaN),
        ColumnKind.Integer => Column.NullInteger,
        _ => Column.NullBoolean,
    };
}
