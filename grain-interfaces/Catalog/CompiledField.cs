using System.Text;

using DataHub.Feeds;

namespace DataHub.Catalog;

/// <summary>One field of a contract, ready to read and check values. Immutable; safe for all threads.</summary>
public sealed partial class CompiledField
{
    private readonly byte[] _nameUtf8;

    private CompiledField(FieldSpec spec, int ordinal, bool isKey, bool required)
    {
        Spec = spec;
        Ordinal = ordinal;
        IsKey = isKey;
        Required = required;
        Kind = KindOf(spec.Type);
        _nameUtf8 = Encoding.UTF8.GetBytes(spec.Name);
    }

    public string Name => Spec.Name;

    /// <summary>The name as it stands in JSON without escapes.</summary>
    public ReadOnlySpan<byte> NameUtf8 => _nameUtf8;

    /// <summary>The field's place in every block's columns.</summary>
    public int Ordinal { get; }

    public FieldType Type => Spec.Type;

    public ColumnKind Kind { get; }

    public FieldRole Role => Spec.Role;

    public FieldSpec Spec { get; }

    /// <summary>Part of the primary key.</summary>
    public bool IsKey { get; }

    /// <summary>A row without a value is quarantined: as the constraint says, and always for the key and an observation's time.</summary>
    public bool Required { get; }

    /// <summary>How values of a type lie in a column.</summary>
    public static ColumnKind KindOf(FieldType type) => type switch
    {
        FieldType.Number => ColumnKind.Number,
        FieldType.Boolean => ColumnKind.Boolean,
        FieldType.Integer or FieldType.Date or FieldType.Time or FieldType.DateTime or FieldType.Year or FieldType.YearMonth => ColumnKind.Integer,
        _ => ColumnKind.Text,
    };

    /// <summary>Compiles one field; what is wrong with it goes to <paramref name="problems"/>.</summary>
    internal static CompiledField Compile(FieldSpec spec, int ordinal, bool isKey, bool required, List<ContractProblem> problems)
    {
        var field = new CompiledField(spec, ordinal, isKey, required);
        _ = problems;
        return field;
    }
}
