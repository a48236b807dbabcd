using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>
/// Reads a filter: of CQL2 text (OGC 21-065r2) the conformance classes Basic CQL2 and Advanced Comparison Operators, with
/// fields on either side. BETWEEN also takes texts and times; a literal TIMESTAMP may have an offset instead of Z.
/// Words are read whatever their case. It knows no fields: <see cref="FilterCompiler"/> does.
/// </summary>
internal sealed class FilterReader
{
    private static readonly LocalText s_operand = new(
        "ein Feld oder ein Wert: eine Zahl wie 40.5, 'Text', TRUE, FALSE, DATE('…') oder TIMESTAMP('…')",
        "a field or a value: a number such as 40.5, 'text', TRUE, FALSE, DATE('…') or TIMESTAMP('…')");

    private static readonly LocalText s_condition = new(
        "eine Bedingung: ein Feld oder ein Wert, NOT oder „(“", "a condition: a field or a value, NOT or “(”");

    private static readonly LocalText s_operator = new(
        "=, <>, <, <=, >, >=, IS NULL, IN, BETWEEN oder LIKE (mit NOT davor auch verneint)",
        "=, <>, <, <=, >, >=, IS NULL, IN, BETWEEN or LIKE (with NOT before it for the opposite)");

    private static readonly LocalText s_end = new("AND, OR oder das Ende", "AND, OR or the end");
    private static readonly LocalText s_close = new("AND, OR oder „)“", "AND, OR or “)”");

    private readonly FilterTokens _tokens;
    private readonly FilterLimits _limits;
    private int _depth;
    private int _terms;
    private int _items;

    private FilterReader(string text, FilterLimits limits)
    {
        _limits = limits;
        _tokens = new(text);
    }

    private FilterToken Token => _tokens.Current;

    /// <exception cref="FilterException">The text is no filter, one that is not supported, or beyond a limit.</exception>
    public static FilterNode Read(string text, FilterLimits limits)
    {
        if (text.Length > limits.Length)
            throw new FilterException(new($"höchstens {limits.Length} Zeichen; es sind {text.Length}.", $"at most {limits.Length} characters; there are {text.Length}."));
        if (string.IsNullOrWhiteSpace(text))
            throw new FilterException(new("leer; ohne Filter weglassen oder null.", "empty; without a filter leave it out or null."));

        var reader = new FilterReader(text, limits);
        var node = reader.Any();
        return reader.Token.Kind == FilterTokenKind.End ? node : throw reader.Unexpected(s_end);
    }

    private FilterNode Any()
    {
        var first = All();
        if (!Token.Is("OR")) return first;
        var parts = new List<FilterNode> { first };
        while (Take("OR")) parts.Add(All());
        return new FilterAny([.. parts]);
    }

    private FilterNode All()
    {
        var first = Factor();
        if (!Token.Is("AND")) return first;
        var parts = new List<FilterNode> { first };
        while (Take("AND")) parts.Add(Factor());
        return new FilterAll([.. parts]);
    }

    private FilterNode Factor()
    {
        if (Token.Is("NOT"))
        {
            Deeper();
            _tokens.Next();
            var negated = new FilterNot(Factor());
            _depth--;
            return negated;
        }

        if (!Token.Is('(')) return Condition();
        Deeper();
        _tokens.Next();
        var node = Any();
        Expect(')', s_close);
        _depth--;
        return node;
    }

    private FilterNode Condition()
    {
        if (++_terms > _limits.Terms)
            throw new FilterException(Token.Position, $"höchstens {_limits.Terms} Bedingungen.", $"at most {_limits.Terms} conditions.");

        var left = Operand(s_condition);
        if (Operator() is { } comparison)
        {
            _tokens.Next();
            return new FilterComparison(left, comparison, Operand(s_operand));
        }

        if (Take("IS"))
        {
            var not = Take("NOT");
            if (!Take("NULL")) throw Unexpected(not ? new("NULL", "NULL") : new("NULL oder NOT NULL", "NULL or NOT NULL"));
            if (left is not FilterField field)
                throw new FilterException(left.Position, "vor IS NULL steht ein Feld.", "before IS NULL stands a field.");
            return Negated(new FilterIsNull(field), not);
        }

        var negated = Take("NOT");
        if (Take("BETWEEN"))
        {
            var low = Operand(s_operand);
            if (!Take("AND")) throw Unexpected(new("AND mit der oberen Grenze", "AND with the upper bound"));
            var high = Operand(s_operand);
            return Negated(new FilterAll([new FilterComparison(left, FilterOperator.GreaterOrEqual, low), new FilterComparison(left, FilterOperator.LessOrEqual, high)]), negated);
        }

        if (Take("IN")) return Negated(new FilterIn(left, Items()), negated);
        if (Take("LIKE")) return Negated(new FilterLike(left, Pattern()), negated);
        if (negated) throw Unexpected(new("IN, BETWEEN oder LIKE", "IN, BETWEEN or LIKE"));
        return left is FilterLiteral { Type: FilterType.Boolean } constant ? new FilterConstant(constant.Integer == 1) : throw Unexpected(s_operator);

        static FilterNode Negated(FilterNode node, bool not) => not ? new FilterNot(node) : node;
    }

    private FilterOperator? Operator() => Token.Kind != FilterTokenKind.Symbol ? null : Token.Text switch
    {
        "=" => FilterOperator.Equal,
        "<>" => FilterOperator.NotEqual,
        "<" => FilterOperator.Less,
        "<=" => FilterOperator.LessOrEqual,
        ">" => FilterOperator.Greater,
        ">=" => FilterOperator.GreaterOrEqual,
        _ => null,
    };

    private FilterOperand[] Items()
    {
        Expect('(', new("„(“ und die Werte", "“(” and the values"));
        var items = new List<FilterOperand>();
        do
        {
            if (++_items > _limits.Items)
                throw new FilterException(Token.Position, $"höchstens {_limits.Items} Werte in IN.", $"at most {_limits.Items} values in IN.");
            items.Add(Operand(s_operand));
        }
        while (Take(','));
        Expect(')', new("„,“ oder „)“", "“,” or “)”"));
        return [.. items];
    }

    private LikePattern Pattern()
    {
        var token = Token;
        if (token.Kind != FilterTokenKind.Text)
            throw Unexpected(new("ein Muster wie 'Haupt%' (% steht für beliebig viele Zeichen, _ für eines)", "a pattern such as 'Main%' (% stands for any characters, _ for one)"));
        _tokens.Next();
        return LikePattern.Parse(token.Text) ?? throw new FilterException(token.Position,
            "das Muster endet mit \\, das nichts aufhebt; \\\\ steht für das Zeichen selbst.", "the pattern ends in \\, which escapes nothing; \\\\ stands for the character itself.");
    }

    private FilterOperand Operand(LocalText expected)
    {
        var token = Token;
        switch (token.Kind)
        {
            case FilterTokenKind.Quoted:
                _tokens.Next();
                return new FilterField(token.Text, true, token.Position);
            case FilterTokenKind.Text:
                _tokens.Next();
                return new FilterLiteral(FilterType.Text, token.Written, token.Position) { Text = token.Text };
            case FilterTokenKind.Number:
                _tokens.Next();
                return Number(token, "");
            case FilterTokenKind.Symbol when token.Text is "-" or "+":
                _tokens.Next();
                if (Token.Kind != FilterTokenKind.Number) throw Unexpected(new("eine Zahl", "a number"));
                var number = Number(Token with { Position = token.Position }, token.Text);
                _tokens.Next();
                return number;
            case FilterTokenKind.Word when token.Is("NULL"):
                throw Unexpected(new("IS NULL oder IS NOT NULL (nichts ist gleich NULL)", "IS NULL or IS NOT NULL (nothing equals NULL)"));
            case FilterTokenKind.Word when token.Is("TRUE") || token.Is("FALSE"):
                _tokens.Next();
                return new FilterLiteral(FilterType.Boolean, token.Written, token.Position) { Integer = token.Is("TRUE") ? 1 : 0 };
            case FilterTokenKind.Word when !token.IsReserved:
                _tokens.Next();
                return Token.Is('(') ? Call(token) : new FilterField(token.Text, false, token.Position);
            default:
                throw Unexpected(expected);
        }
    }

    /// <summary>DATE('…') and TIMESTAMP('…'); there are no functions.</summary>
    private FilterLiteral Call(FilterToken name)
    {
        if (!name.Is("DATE") && !name.Is("TIMESTAMP"))
        {
            throw new FilterException(name.Position,
                $"die Funktion {name.Text} gibt es hier nicht, nur DATE('…') und TIMESTAMP('…').", $"there is no function {name.Text} here, only DATE('…') and TIMESTAMP('…').");
        }

        _tokens.Next();
        var text = Token;
        var day = name.Is("DATE");
        var example = FilterTypes.Example(day ? FilterType.Date : FilterType.Instant);
        if (text.Kind != FilterTokenKind.Text) throw Unexpected(new($"ein Text in einfachen Anführungszeichen wie in {example}", $"a text in single quotes as in {example}"));
        _tokens.Next();
        Expect(')', new("„)“", "“)”"));
        var written = $"{name.Text.ToUpperInvariant()}({text.Written})";
        if (day)
        {
            return ClockText.TryDate(text.Text, out var number)
                ? new(FilterType.Date, written, name.Position) { Integer = number }
                : throw new FilterException(text.Position, $"{text.Written} ist kein Datum; erwartet wird {example}.", $"{text.Written} is no date; expected is {example}.");
        }

        if (!ClockText.TryInstant(text.Text, out var ticks, out var offset))
            throw new FilterException(text.Position, $"{text.Written} ist kein Zeitpunkt; erwartet wird {example}.", $"{text.Written} is no instant; expected is {example}.");
        if (offset is null)
            throw new FilterException(text.Position, $"{text.Written} sagt keinen Abstand zu UTC; erwartet wird {example} oder Z am Ende.", $"{text.Written} says no offset from UTC; expected is {example} or Z at the end.");
        ticks -= offset.Value;
        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks)
            throw new FilterException(text.Position, $"{text.Written} liegt außerhalb der Jahre 1 bis 9999 (UTC).", $"{text.Written} is outside the years 1 to 9999 (UTC).");
        return new(FilterType.Instant, written, name.Position) { Integer = ticks };
    }

    private static FilterLiteral Number(FilterToken token, string sign)
    {
        var text = sign + token.Text;
        var number = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (!double.IsFinite(number)) throw new FilterException(token.Position, $"die Zahl {text} ist zu groß.", $"the number {text} is too large.");
        long? integer = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exact) ? exact
            : double.IsInteger(number) && Math.Abs(number) < 1L << 62 ? (long)number
            : null;

        // The least long is how columns say null.
        return new(FilterType.Number, text, token.Position) { Number = number + 0.0, Integer = integer == Column.NullInteger ? null : integer };
    }

    private void Deeper()
    {
        if (++_depth > _limits.Depth)
            throw new FilterException(Token.Position, $"höchstens {_limits.Depth} Klammern und NOT ineinander.", $"at most {_limits.Depth} parentheses and NOTs within one another.");
    }

    private bool Take(string word)
    {
        if (!Token.Is(word)) return false;
        _tokens.Next();
        return true;
    }

    private bool Take(char symbol)
    {
        if (!Token.Is(symbol)) return false;
        _tokens.Next();
        return true;
    }

    private void Expect(char symbol, LocalText expected)
    {
        if (!Take(symbol)) throw Unexpected(expected);
    }

    private FilterException Unexpected(LocalText expected)
    {
        if (Token.Kind == FilterTokenKind.End)
            return new(Token.Position, $"der Text ist zu Ende; erwartet wird {expected.De}.", $"the text has ended; expected is {expected.In("en")}.");
        return new(Token.Position, $"gefunden {Token.Shown}, erwartet wird {expected.De}.", $"found {Token.Shown}, expected is {expected.In("en")}.");
    }
}
