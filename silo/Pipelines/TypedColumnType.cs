using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What the values of a column of a file with types can all be, found out value by value.</summary>
internal sealed class TypedColumnType
{
    private readonly bool[] _seen = new bool[(int)CellKind.Fault + 1];
    private bool _wide;

    /// <summary>Whether there was anything in it.</summary>
    public bool Any { get; private set; }

    /// <summary>Something in it would be an instant if it were known on which clock it was read.</summary>
    public bool NeedsZone => Seen(CellKind.Local) && !Seen(CellKind.Text);

    public void Add(in TypedCell cell)
    {
        Any = true;
        _seen[(int)cell.Kind] = true;
        _wide |= cell.IsWide;
    }

    /// <param name="hasZone">Clocks without an offset can be read.</param>
    public FieldType Narrowest(bool hasZone) =>
        Only(CellKind.Boolean) ? FieldType.Boolean
        : Only(CellKind.Integer) ? FieldType.Integer
        : Only(CellKind.Integer, CellKind.Number) && !_wide ? FieldType.Number
        : Only(CellKind.Date) ? FieldType.Date
        : Only(CellKind.Time) ? FieldType.Time
        : Only(CellKind.Instant) || (hasZone && Only(CellKind.Date, CellKind.Local, CellKind.Instant)) ? FieldType.DateTime
        : FieldType.String;

    private bool Seen(CellKind kind) => _seen[(int)kind];

    /// <summary>Nothing else was seen, faults apart.</summary>
    private bool Only(params ReadOnlySpan<CellKind> kinds)
    {
        var any = false;
        for (var kind = CellKind.Text; kind < CellKind.Fault; kind++)
        {
            if (!Seen(kind)) continue;
            if (!kinds.Contains(kind)) return false;
            any = true;
        }

        return any;
    }
}
