using System.Globalization;

namespace DataHub.Support;

/// <summary>A formula as a test makes it: a tree that can be written as text and computed by itself. Shares no code with the hub.</summary>
/// <param name="Kind"><c>number</c>, <c>input</c>, <c>population</c>, <c>- (sign)</c>, an operator or a function.</param>
/// <param name="Name">Of an input.</param>
public sealed record OracleFormula(string Kind, double Number, string? Name, OracleFormula[] Parts)
{
    /// <summary>With more parentheses than needed.</summary>
    public override string ToString() => Kind switch
    {
        "number" => Number.ToString("R", CultureInfo.InvariantCulture),
        "input" => $"\"{Name}\"",
        "population" => Kind,
        "sign" => $"-({Parts[0]})",
        "+" or "-" or "*" or "/" => $"({Parts[0]} {Kind} {Parts[1]})",
        "round" => $"round({Parts[0]}, {(int)Number})",
        _ => $"{Kind}({string.Join(", ", Parts.Select(part => part.ToString()))})",
    };

    /// <summary>The inputs in it.</summary>
    public IEnumerable<string> Names => Kind == "input" ? [Name!] : Parts.SelectMany(part => part.Names);
}

/// <summary>What became of a formula at a place.</summary>
/// <param name="State">ok, undefined, missing or suppressed.</param>
/// <param name="Count">The least rows behind anything in it; of no meaning where suppressed.</param>
public readonly record struct OracleTerm(string State, double Value, long Count);

/// <summary>Computes formulas from the oracle's cells, in doubles, by walking the tree. Ids of areas of one level have one length.</summary>
/// <param name="window">ISO 8601 duration.</param>
/// <param name="timeZone">IANA name.</param>
/// <param name="asked">Per input of the formula the cells of the answer: of the areas at its level.</param>
/// <param name="whole">Per input the cells of all areas together, under a null area.</param>
/// <param name="minimum">Per input the rows below which it is suppressed.</param>
/// <param name="population">Of an area of the answer; null where nobody knows.</param>
/// <param name="everybody">Of all areas together.</param>
/// <param name="ownMinimum">The formula's own rule: what it suppresses takes no part in ranks.</param>
/// <param name="isWhole">Whether the answer itself is about all areas together.</param>
public sealed class FormulaOracle(
    string window,
    string timeZone,
    IReadOnlyDictionary<string, IReadOnlyDictionary<(string? Area, DateTimeOffset From, string Dimensions), OracleValue>> asked,
    IReadOnlyDictionary<string, IReadOnlyDictionary<(string? Area, DateTimeOffset From, string Dimensions), OracleValue>> whole,
    IReadOnlyDictionary<string, int> minimum,
    Func<string, double?> population,
    double? everybody,
    int ownMinimum,
    bool isWhole)
{
    private static readonly string[] s_states = ["ok", "undefined", "missing", "suppressed"];

    public OracleTerm Compute(OracleFormula formula, string? area, DateTimeOffset from, string dimensions) => Compute(formula, area, from, dimensions, all: false);

    private OracleTerm Compute(OracleFormula formula, string? area, DateTimeOffset from, string dimensions, bool all)
    {
        OracleTerm Part(int index) => Compute(formula.Parts[index], area, from, dimensions, all);
        OracleTerm Before(int index) => Compute(formula.Parts[index], area, Oracle.Window(window, timeZone, from.AddTicks(-1)).From, dimensions, all);
        switch (formula.Kind)
        {
            case "number": return new("ok", formula.Number, long.MaxValue);
            case "input":
                var cells = (all ? whole : asked)[formula.Name!];
                if (!cells.TryGetValue((all ? null : area, from, dimensions), out var cell)) return new("missing", 0, 0);
                if (cell.Count < minimum[formula.Name!]) return new("suppressed", 0, 0);
                return cell.Value is { } value ? new("ok", value, cell.Count) : new("undefined", 0, cell.Count);
            case "population":
                var people = all || isWhole ? everybody : area is null ? null : population(area);
                return people is { } number ? new("ok", number, long.MaxValue) : new("missing", 0, 0);
            case "sign": return Join(x => -x[0], Part(0));
            case "abs": return Join(x => x[0] < 0 ? -x[0] : x[0], Part(0));
            case "round": return Join(x => Oracle.RoundDecimals(x[0], (int)formula.Number), Part(0));
            case "+": return Join(x => x[0] + x[1], Part(0), Part(1));
            case "-": return Join(x => x[0] - x[1], Part(0), Part(1));
            case "*": return Join(x => x[0] * x[1], Part(0), Part(1));
            case "/": return Join(x => x[0] / x[1], Part(0), Part(1));
            case "min": return Join(x => x.Min(), [.. formula.Parts.Select((_, index) => Part(index))]);
            case "max": return Join(x => x.Max(), [.. formula.Parts.Select((_, index) => Part(index))]);
            case "previous": return Before(0);
            case "change": return Join(x => x[0] - x[1], Part(0), Before(0));
            case "share": return Join(x => x[0] / x[1], Part(0), Compute(formula.Parts[0], null, from, dimensions, all: true));
            case "rank":
                var own = Part(0);
                if (own.State != "ok") return own;
                if (area is null && !isWhole) return new("missing", 0, 0);
                if (own.Count < ownMinimum) return new("suppressed", 0, 0);
                var areas = isWhole ? [null] : asked.Values.SelectMany(c => c.Keys).Where(key => key.Area is not null && key.Area.Length == area!.Length && key.From == from && key.Dimensions == dimensions).Select(key => key.Area).Distinct();
                var greater = areas.Select(other => Compute(formula.Parts[0], other, from, dimensions, all))
                    .Count(other => other.State == "ok" && other.Count >= ownMinimum && other.Value > own.Value);
                return new("ok", greater + 1, own.Count);
            default: throw new ArgumentException(formula.Kind);
        }
    }

    private static OracleTerm Join(Func<double[], double> operation, params OracleTerm[] terms)
    {
        var state = s_states[terms.Max(term => Array.IndexOf(s_states, term.State))];
        var count = terms.Min(term => term.Count);
        if (state != "ok") return new(state, 0, count);
        var value = operation([.. terms.Select(term => term.Value)]);
        return double.IsFinite(value) ? new("ok", value, count) : new("undefined", 0, count);
    }
}
