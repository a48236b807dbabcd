using System.Collections.Frozen;
using System.Linq.Expressions;
using System.Reflection;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>
/// Holds a filter against a dataset's fields and makes an expression of it that is true where the filter is true.
/// </summary>
/// <remarks>
/// The logic has three values, the expression two: a node is asked either "are you true?" or "are you false?", and of an
/// unknown one both are denied. NOT swaps the question, so no third value is ever held.
/// </remarks>
/// <param name="fields">By ordinal.</param>
/// <param name="absentIsNull">What a field that is not there is: null, or an error.</param>
internal sealed class FilterCompiler(FieldSpec[] fields, bool absentIsNull)
{
    /// <summary>Lists longer than this are looked up, not gone through.</summary>
    private const int MaxChained = 4;

    private const int MaxNames = 12;

    private static readonly Expression s_true = Expression.Constant(true);
    private static readonly Expression s_false = Expression.Constant(false);
    private static readonly MethodInfo s_textEquals = ((Func<string?, string?, bool>)string.Equals).Method;
    private static readonly MethodInfo s_textOrder = ((Func<string, string, int>)FilterOrder.Texts).Method;
    private static readonly MethodInfo s_mixedOrder = ((Func<long, double, int>)FilterOrder.Numbers).Method;

    public ParameterExpression Rows { get; } = Expression.Parameter(typeof(RowBlock), "rows");

    public ParameterExpression Row { get; } = Expression.Parameter(typeof(int), "row");

    /// <summary>Of <see cref="Rows"/> and <see cref="Row"/>: whether the filter is true.</summary>
    /// <exception cref="FilterException">It names a field that is not there or personal, or compares what cannot be compared.</exception>
    public Expression Build(FilterNode filter) => Build(filter, true);

    private Expression Build(FilterNode node, bool wanted) => node switch
    {
        FilterConstant constant => constant.Value == wanted ? s_true : s_false,
        FilterNot not => Build(not.Node, !wanted),
        FilterAll all => Join(wanted, Array.ConvertAll(all.Parts, part => Build(part, wanted))),
        FilterAny any => Join(!wanted, Array.ConvertAll(any.Parts, part => Build(part, wanted))),
        FilterComparison comparison => Comparison(comparison, wanted),
        FilterIn list => List(list, wanted),
        FilterLike like => Like(like, wanted),
        FilterIsNull question => IsNull(Field(question.Field, false), wanted),
        _ => throw new InvalidOperationException($"{node.GetType()} is no part of a filter"),
    };

    private Expression Comparison(FilterComparison node, bool wanted)
    {
        var (left, right) = Comparable(Side(node.Left, false), Side(node.Right, true));
        if (left.Type == FilterType.Boolean && node.Operator is not (FilterOperator.Equal or FilterOperator.NotEqual))
            throw new FilterException(left.Position, "TRUE und FALSE haben keine Reihenfolge; erwartet wird = oder <>.", "TRUE and FALSE have no order; expected is = or <>.");

        // "Is it false?" asks for the opposite of values that are there.
        return Test(left, wanted ? node.Operator : Opposite(node.Operator), right);
    }

    private Expression List(FilterIn node, bool wanted)
    {
        var value = Side(node.Value, false);
        var (chained, kept) = (new List<Expression>(), new List<Operand>());
        foreach (var item in node.Items)
        {
            var (left, right) = Comparable(value, Side(item, true));
            if (left.IsColumn && right.Literal is not null && left.Type != FilterType.Boolean && node.Items.Length > MaxChained) kept.Add(right);
            else chained.Add(Test(left, wanted ? FilterOperator.Equal : FilterOperator.NotEqual, right));
        }

        if (kept.Count > 0) chained.Add(Kept(value, kept, wanted));
        return Join(!wanted, [.. chained]);
    }

    private BlockExpression Kept(Operand value, List<Operand> items, bool wanted)
    {
        var local = Expression.Variable(TypeOf(value.Kind));
        var found = value.Kind switch
        {
            ColumnKind.Text => IsIn(items.Select(item => item.Literal!.Text).ToFrozenSet(StringComparer.Ordinal)),
            ColumnKind.Number => IsIn(items.Select(item => item.Literal!.Number).ToFrozenSet()),
            // What no whole number equals is in no column of them.
            _ => IsIn(items.Select(item => item.Integer).OfType<long>().ToFrozenSet()),
        };
        return Expression.Block([local], Expression.Assign(local, Read(value)), Expression.AndAlso(IsThere(local), wanted ? found : Expression.Not(found)));

        Expression IsIn<T>(FrozenSet<T> set) => Expression.Call(Expression.Constant(set, typeof(FrozenSet<T>)), nameof(FrozenSet<>.Contains), null, local);
    }

    private Expression Like(FilterLike node, bool wanted)
    {
        var value = Side(node.Value, false);
        if (value.IsAbsent) return s_false;
        if (value.Type != FilterType.Text)
        {
            throw new FilterException(value.Position,
                $"LIKE vergleicht Texte; {value.Shown.De} ist keiner.", $"LIKE compares texts; {value.Shown.In("en")} is none.");
        }

        var local = Expression.Variable(typeof(string));
        Expression matches = Expression.Call(Expression.Constant(node.Pattern), nameof(LikePattern.Matches), null, local);
        return Expression.Block([local], Expression.Assign(local, AsText(value)), Expression.AndAlso(IsThere(local), wanted ? matches : Expression.Not(matches)));
    }

    private Expression IsNull(Operand field, bool wanted)
    {
        if (field.IsAbsent) return wanted ? s_true : s_false;
        var local = Expression.Variable(TypeOf(field.Kind));
        return Expression.Block([local], Expression.Assign(local, Read(field)), wanted ? Expression.Not(IsThere(local)) : IsThere(local));
    }

    /// <summary>Compares two values of one type; false where either is null.</summary>
    private Expression Test(Operand left, FilterOperator comparison, Operand right)
    {
        if (left.IsAbsent || right.IsAbsent) return s_false;
        var mixed = false;
        Expression a, b;
        if (left.Type == FilterType.Number)
        {
            var (whole, broken) = (left.CanBeInteger && right.CanBeInteger, left.CanBeNumber && right.CanBeNumber);
            mixed = !whole && !broken;
            (a, b) = mixed
                ? (left.CanBeNumber ? AsNumber(left) : AsInteger(left), right.CanBeNumber ? AsNumber(right) : AsInteger(right))
                : whole ? (AsInteger(left), AsInteger(right)) : (AsNumber(left), AsNumber(right));
        }
        else
        {
            (a, b) = left.Type == FilterType.Text ? (AsText(left), AsText(right))
                : left.Type == FilterType.Boolean ? (AsBoolean(left), AsBoolean(right))
                : (AsInteger(left), AsInteger(right));
        }

        var locals = new List<ParameterExpression>(2);
        var steps = new List<Expression>(3);
        var there = new List<Expression>(3);
        (a, b) = (Local(left, a), Local(right, b));
        there.Add(Holds(a, comparison, b, left.Type, mixed));
        steps.Add(Join(true, [.. there]));
        return Expression.Block(locals, steps);

        Expression Local(Operand operand, Expression value)
        {
            if (!operand.IsColumn) return value;
            var local = Expression.Variable(value.Type);
            locals.Add(local);
            steps.Add(Expression.Assign(local, value));
            there.Add(IsThere(local));
            return local;
        }
    }

    private static Expression Holds(Expression a, FilterOperator comparison, Expression b, FilterType type, bool mixed)
    {
        if (mixed)
        {
            return a.Type == typeof(long)
                ? Compare(Expression.Call(s_mixedOrder, a, b), comparison, Expression.Constant(0))
                : Compare(Expression.Constant(0), comparison, Expression.Call(s_mixedOrder, b, a));
        }

        if (type != FilterType.Text) return Compare(a, comparison, b);
        return comparison switch
        {
            FilterOperator.Equal => Expression.Call(s_textEquals, a, b),
            FilterOperator.NotEqual => Expression.Not(Expression.Call(s_textEquals, a, b)),
            _ => Compare(Expression.Call(s_textOrder, a, b), comparison, Expression.Constant(0)),
        };
    }

    private static BinaryExpression Compare(Expression a, FilterOperator comparison, Expression b) => comparison switch
    {
        FilterOperator.Equal => Expression.Equal(a, b),
        FilterOperator.NotEqual => Expression.NotEqual(a, b),
        FilterOperator.Less => Expression.LessThan(a, b),
        FilterOperator.LessOrEqual => Expression.LessThanOrEqual(a, b),
        FilterOperator.Greater => Expression.GreaterThan(a, b),
        _ => Expression.GreaterThanOrEqual(a, b),
    };

    private static FilterOperator Opposite(FilterOperator comparison) => comparison switch
    {
        FilterOperator.Equal => FilterOperator.NotEqual,
        FilterOperator.NotEqual => FilterOperator.Equal,
        FilterOperator.Less => FilterOperator.GreaterOrEqual,
        FilterOperator.LessOrEqual => FilterOperator.Greater,
        FilterOperator.Greater => FilterOperator.LessOrEqual,
        _ => FilterOperator.Less,
    };

    /// <summary>AND or OR of many, halved again and again: a chain of a thousand would be a thousand deep.</summary>
    private static Expression Join(bool all, ReadOnlySpan<Expression> parts) => parts switch
    {
        [] => all ? s_true : s_false,
        [var one] => one,
        _ when all => Expression.AndAlso(Join(all, parts[..(parts.Length / 2)]), Join(all, parts[(parts.Length / 2)..])),
        _ => Expression.OrElse(Join(all, parts[..(parts.Length / 2)]), Join(all, parts[(parts.Length / 2)..])),
    };

    // ---- values ----

    private static Type TypeOf(ColumnKind kind) => kind switch
    {
        ColumnKind.Text => typeof(string),
        ColumnKind.Number => typeof(double),
        ColumnKind.Integer => typeof(long),
        _ => typeof(byte),
    };

    /// <summary>Whether a column's value is not null.</summary>
    private static BinaryExpression IsThere(ParameterExpression value) =>
        value.Type == typeof(string) ? Expression.ReferenceNotEqual(value, Expression.Constant(null, typeof(string)))
        // A NaN does not equal itself.
        : value.Type == typeof(double) ? Expression.Equal(value, value)
        : value.Type == typeof(long) ? Expression.NotEqual(value, Expression.Constant(Column.NullInteger))
        : Expression.NotEqual(value, Expression.Constant(Column.NullBoolean));

    private BinaryExpression Read(Operand operand) => Expression.ArrayIndex(
        Expression.Property(
            Expression.ArrayIndex(Expression.Property(Rows, nameof(RowBlock.Columns)), Expression.Constant(operand.Ordinal)),
            operand.Kind switch
            {
                ColumnKind.Text => nameof(Column.Texts),
                ColumnKind.Number => nameof(Column.Numbers),
                ColumnKind.Integer => nameof(Column.Integers),
                _ => nameof(Column.Booleans),
            }),
        Row);

    private Expression AsText(Operand operand) => operand.Literal is { } literal ? Expression.Constant(literal.Text) : Read(operand);

    private Expression AsNumber(Operand operand) => operand.Literal is { } literal ? Expression.Constant(literal.Number) : Read(operand);

    private Expression AsInteger(Operand operand) => operand.Literal is null ? Read(operand) : Expression.Constant(operand.Integer!.Value);

    private Expression AsBoolean(Operand operand) => operand.Literal is null ? Read(operand) : Expression.Constant((byte)operand.Integer!.Value);

    // ---- what stands on either side ----

    private Operand Side(FilterOperand operand, bool asValue) => operand switch
    {
        FilterField field => Field(field, asValue),
        FilterLiteral literal => new(literal.Type, literal.Position) { Literal = literal, Integer = literal.Integer },
        _ => throw new InvalidOperationException($"{operand.GetType()} is no operand"),
    };

    private Operand Field(FilterField named, bool asValue)
    {
        var ordinal = Array.FindIndex(fields, field => field.Name == named.Name);
        if (ordinal < 0) return absentIsNull ? new(FilterType.Opaque, named.Position) { IsAbsent = true } : throw Unknown(named, asValue);
        var field = fields[ordinal];
        if (field.Role == FieldRole.Personal)
        {
            throw new FilterException(named.Position,
                $"„{named.Name}“ ist personenbezogen; danach wird nie gefiltert.", $"“{named.Name}” is personal; it is never filtered by.");
        }

        return new(FilterTypes.Of(field.Type), named.Position) { Spec = field, Ordinal = ordinal, Kind = CompiledField.KindOf(field.Type) };
    }

    private FilterException Unknown(FilterField named, bool asValue)
    {
        var known = fields.Where(field => field.Role != FieldRole.Personal).Select(field => field.Name).ToArray();
        var nearest = known.MinBy(name => Spelling.Distance(name, named.Name));
        var near = nearest is not null && Spelling.Distance(nearest, named.Name) <= Math.Max(2, named.Name.Length / 3);
        var names = string.Join(", ", known.Take(MaxNames).Select(Name)) + (known.Length > MaxNames ? ", …" : "");
        var text = $"'{named.Name.Replace("'", "''", StringComparison.Ordinal)}'";
        var (de, en) = (near, asValue || named.Quoted) switch
        {
            (true, false) => ($"gemeint ist vielleicht {Name(nearest!)}.", $"perhaps {Name(nearest!)} is meant."),
            (true, true) => ($"gemeint ist vielleicht {Name(nearest!)} oder der Text {text}.", $"perhaps {Name(nearest!)} or the text {text} is meant."),
            (false, true) => ($"ein Text wird {text} geschrieben; Felder sind {names}.", $"a text is written {text}; fields are {names}."),
            _ => ($"Felder sind {names}.", $"fields are {names}."),
        };
        return new(named.Position, $"das Feld „{named.Name}“ gibt es nicht; {de}", $"the field “{named.Name}” does not exist; {en}");
    }

    /// <summary>A field's name as a filter writes it.</summary>
    private static string Name(string name) => FilterTokens.IsName(name) ? name : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>Both sides as one type, or why they are not.</summary>
    private static (Operand Left, Operand Right) Comparable(Operand left, Operand right)
    {
        if (left.IsAbsent || right.IsAbsent) return (left, right);
        foreach (var side in (ReadOnlySpan<Operand>)[left, right])
        {
            if (side.Type == FilterType.Opaque)
            {
                throw new FilterException(side.Position,
                    $"{side.Shown.De} lässt sich nur mit IS NULL prüfen.", $"{side.Shown.In("en")} can only be asked for IS NULL.");
            }
        }

        if (left.Type == right.Type) return (left, right);
        if (Clock(left, right) is { } clock) return (left, clock);
        if (Clock(right, left) is { } turned) return (turned, right);

        // What is expected is said of the value; of two fields or two values, of the second.
        var (wrong, other) = left.Literal is not null && right.Literal is null ? (left, right) : (right, left);
        var (example, word) = (FilterTypes.Example(other.Type), FilterTypes.Word(other.Type));
        throw new FilterException(wrong.Position,
            $"{other.Shown.De} lässt sich nicht mit {wrong.Shown.De} vergleichen; erwartet wird {word.De} wie {example}.",
            $"{other.Shown.In("en")} cannot be compared with {wrong.Shown.In("en")}; expected is {word.In("en")} such as {example}.");
    }

    /// <summary>CQL2 has no literals for times of day and months: a text beside such a field is read as one. Null where it is not that case.</summary>
    private static Operand? Clock(Operand field, Operand value)
    {
        if (field.Type is not (FilterType.Time or FilterType.YearMonth) || value.Literal is not { Type: FilterType.Text } literal) return null;
        var text = literal.Text;
        if (field.Type == FilterType.Time && ClockText.TryTime(text, out var ticks, out var used) && used == text.Length) return value with { Type = field.Type, Integer = ticks };
        if (field.Type == FilterType.YearMonth && ClockText.TryDate(text + "-01", out var day))
        {
            var first = DateOnly.FromDayNumber((int)day);
            return value with { Type = field.Type, Integer = (first.Year * 12L) + first.Month - 1 };
        }

        var (word, example) = (FilterTypes.Word(field.Type), FilterTypes.Example(field.Type));
        throw new FilterException(value.Position,
            $"{literal.Written} ist nicht {word.De}; erwartet wird {example}.", $"{literal.Written} is not {word.In("en")}; expected is {example}.");
    }

    /// <summary>A field's column or a literal.</summary>
    private sealed record Operand(FilterType Type, int Position)
    {
        /// <summary>Of a field.</summary>
        public FieldSpec? Spec { get; init; }

        public int Ordinal { get; init; } = -1;

        public ColumnKind Kind { get; init; }

        public FilterLiteral? Literal { get; init; }

        /// <summary>Of a literal, as a column of integers or booleans holds it.</summary>
        public long? Integer { get; init; }

        /// <summary>The rows have no such field: null in all of them.</summary>
        public bool IsAbsent { get; init; }

        public bool IsColumn => Spec is not null;

        public bool CanBeInteger => IsColumn ? Kind == ColumnKind.Integer : Integer is not null;

        public bool CanBeNumber => IsColumn ? Kind == ColumnKind.Number : Literal is not null;

        /// <summary>For messages: name and type, or the literal as it was written.</summary>
        public LocalText Shown => Spec is { } spec
            ? new($"„{spec.Name}“ ({ContractWords.Of(spec.Type)})", $"“{spec.Name}” ({ContractWords.Of(spec.Type)})")
            : new($"{Literal!.Written} ({FilterTypes.Word(Type).De})", $"{Literal.Written} ({FilterTypes.Word(Type).In("en")})");
    }
}
