using System.Globalization;

using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>
/// Reads a formula: <c>+ - * /</c>, unary minus, parentheses, numbers, ids (bare where they are a letter followed by
/// letters and digits, else in double quotes), <c>population</c> and functions. By recursive descent, once.
/// </summary>
internal sealed class FormulaParser(string text, FormulaLimits limits)
{
    /// <summary>Arguments of min and max.</summary>
    private const int MaxArguments = 16;

    private const string PopulationWord = "population";

    private static readonly string[] s_functions = ["share", "change", "previous", "rank", "min", "max", "abs", "round"];

    private static readonly LocalText s_operand = new(
        "eine Zahl, ein Indikator, population, eine Funktion oder „(“", "a number, an indicator, population, a function or “(”");

    private readonly List<(string Id, int Position)> _inputs = [];
    private int _at;
    private int _depth;
    private int _back;
    private int _mostBack;
    private bool _inShare;
    private bool _inRank;
    private bool _needsWhole;
    private bool _ranks;
    private bool _needsPopulation;

    public (string Id, int Position)[] Inputs => [.. _inputs];

    public FormulaNeeds Needs => new(_mostBack, _needsWhole, _ranks, _needsPopulation);

    /// <summary>Words that are no ids unless they are quoted.</summary>
    public static IEnumerable<string> Words => s_functions.Append(PopulationWord);

    /// <exception cref="FormulaException">It is no formula.</exception>
    public Formula.Part Parse()
    {
        if (text.Length > limits.Length)
        {
            throw new FormulaException(new(
                $"formula: {text.Length} Zeichen, höchstens {limits.Length} (DataHub:Indicator:MaxFormulaLength).",
                $"formula: {text.Length} characters, at most {limits.Length} (DataHub:Indicator:MaxFormulaLength)."));
        }

        var root = Sum();
        if (Peek() != '\0') throw Unexpected(new("ein Rechenzeichen (+ - * /) oder das Ende", "an operator (+ - * /) or the end"));
        return _inputs.Count > 0
            ? root
            : throw new FormulaException(new("formula: Es kommt kein Indikator vor.", "formula: No indicator occurs in it."));
    }

    private Formula.Part Sum()
    {
        var left = Product();
        while (Peek() is '+' or '-')
        {
            var sign = text[_at++];
            left = new Formula.Operation(sign, left, Product());
        }

        return left;
    }

    private Formula.Part Product()
    {
        var left = Signed();
        while (Peek() is '*' or '/')
        {
            var sign = text[_at++];
            left = new Formula.Operation(sign, left, Signed());
        }

        return left;
    }

    private Formula.Part Signed()
    {
        if (Peek() != '-') return Operand();
        Enter(_at++);
        var part = new Formula.Minus(Signed());
        _depth--;
        return part;
    }

    private Formula.Part Operand()
    {
        var next = Peek();
        var begin = _at;
        if (next == '(')
        {
            Enter(_at++);
            var inner = Sum();
            Close();
            _depth--;
            return inner;
        }

        if (next == '"') return Input(Quoted(), begin);
        if (char.IsAsciiDigit(next)) return Number();
        if (!char.IsLetter(next)) throw Unexpected(s_operand);

        var word = Word();
        if (Peek() == '(') return Function(word, begin);
        if (s_functions.Contains(word, StringComparer.Ordinal))
        {
            throw Unexpected(
                new($"„(“ nach der Funktion {word}; ein Indikator dieses Namens steht in Anführungszeichen: \"{word}\"",
                    $"“(” after the function {word}; an indicator of this name stands in quotes: \"{word}\""));
        }

        if (word == PopulationWord)
        {
            _needsPopulation = true;
            return new Formula.Population();
        }

        return Input(word, begin);
    }

    private Formula.Input Input(string id, int begin)
    {
        var index = _inputs.FindIndex(input => input.Id == id);
        if (index >= 0) return new(index);
        if (_inputs.Count >= limits.Inputs)
        {
            throw At(begin, new(
                $"mehr als {limits.Inputs} verschiedene Indikatoren (DataHub:Indicator:MaxFormulaInputs).",
                $"more than {limits.Inputs} different indicators (DataHub:Indicator:MaxFormulaInputs)."));
        }

        _inputs.Add((id, begin + 1));
        return new(_inputs.Count - 1);
    }

    private Formula.Number Number()
    {
        var begin = _at;
        Digits();
        if (_at + 1 < text.Length && text[_at] == '.' && char.IsAsciiDigit(text[_at + 1]))
        {
            _at++;
            Digits();
        }

        if (_at < text.Length && text[_at] is 'e' or 'E')
        {
            var exponent = _at + 1;
            if (exponent < text.Length && text[exponent] is '+' or '-') exponent++;
            if (exponent < text.Length && char.IsAsciiDigit(text[exponent]))
            {
                _at = exponent;
                Digits();
            }
        }

        if (_at < text.Length && (char.IsLetterOrDigit(text[_at]) || text[_at] == '_'))
        {
            Word();
            var word = Shortened(text[begin.._at]);
            throw At(begin, new(
                $"„{word}“ ist keine Zahl; ein Indikator, dessen Kennung mit einer Ziffer beginnt, steht in Anführungszeichen: \"{word}\".",
                $"“{word}” is no number; an indicator whose id begins with a digit stands in quotes: \"{word}\"."));
        }

        var value = double.Parse(text.AsSpan(begin, _at - begin), NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture);
        return double.IsFinite(value)
            ? new(value)
            : throw At(begin, new($"„{Shortened(text[begin.._at])}“ ist zu groß für eine Zahl.", $"“{Shortened(text[begin.._at])}” is too great for a number."));
    }

    private Formula.Part Function(string name, int begin)
    {
        if (!s_functions.Contains(name, StringComparer.Ordinal))
        {
            var meant = FormulaRules.Meant(name, s_functions);
            throw At(begin, new(
                $"Eine Funktion „{Shortened(name)}“ gibt es nicht; es gibt {string.Join(", ", s_functions)}.{meant.De}",
                $"There is no function “{Shortened(name)}”; there are {string.Join(", ", s_functions)}.{meant.In("en")}"));
        }

        Enter(begin);
        _at++;
        Formula.Part part = name switch
        {
            "share" => Share(begin),
            "rank" => Rank(begin),
            "change" => new Formula.Change(Before(begin)),
            "previous" => new Formula.Previous(Before(begin)),
            "abs" => new Formula.Abs(Sum()),
            "round" => Round(),
            _ => new Formula.Extreme(name == "max", Arguments(name)),
        };
        Close();
        _depth--;
        return part;
    }

    private Formula.Share Share(int begin)
    {
        if (_inShare) throw At(begin, new("share steht in share; der Anteil eines Anteils ist keiner.", "share stands within share; the share of a share is none."));
        (_inShare, _needsWhole) = (true, true);
        var of = Sum();
        _inShare = false;
        return new(of);
    }

    private Formula.Rank Rank(int begin)
    {
        if (_inRank || _inShare)
        {
            var outer = _inRank ? "rank" : "share";
            throw At(begin, new($"rank steht in {outer}; ein Rang lässt sich nicht so weiterverwenden.", $"rank stands within {outer}; a rank cannot be used like that."));
        }

        (_inRank, _ranks) = (true, true);
        var of = Sum();
        _inRank = false;
        return new(of);
    }

    private Formula.Part Before(int begin)
    {
        if (++_back > limits.Back)
        {
            throw At(begin, new(
                $"mehr als {limits.Back} Fenster zurück (DataHub:Indicator:MaxFormulaWindowsBack).", $"more than {limits.Back} windows back (DataHub:Indicator:MaxFormulaWindowsBack)."));
        }

        _mostBack = Math.Max(_mostBack, _back);
        var of = Sum();
        _back--;
        return of;
    }

    private Formula.Round Round()
    {
        var of = Sum();
        if (Peek() != ',') return new(of, 0);
        _at++;
        var expected = new LocalText($"eine ganze Zahl von Stellen, 0 bis {Decimals.Most}", $"a whole number of places, 0 to {Decimals.Most}");
        Peek();
        var begin = _at;
        Digits();
        if (begin == _at || _at - begin > 2 || int.Parse(text.AsSpan(begin, _at - begin), CultureInfo.InvariantCulture) is var places && places > Decimals.Most)
        {
            _at = begin;
            throw Unexpected(expected);
        }

        return new(of, places);
    }

    private Formula.Part[] Arguments(string name)
    {
        var parts = new List<Formula.Part> { Sum() };
        while (Peek() == ',')
        {
            if (parts.Count == MaxArguments) throw At(_at, new($"{name} nimmt höchstens {MaxArguments} Werte.", $"{name} takes at most {MaxArguments} values."));
            _at++;
            parts.Add(Sum());
        }

        return parts.Count > 1 ? [.. parts] : throw Unexpected(new($"„,“ und ein weiterer Wert: {name} braucht mindestens zwei", $"“,” and another value: {name} needs at least two"));
    }

    private void Close()
    {
        if (Peek() != ')') throw Unexpected(new("ein Rechenzeichen (+ - * /) oder „)“", "an operator (+ - * /) or “)”"));
        _at++;
    }

    private void Enter(int begin)
    {
        if (++_depth > limits.Depth)
        {
            throw At(begin, new(
                $"mehr als {limits.Depth}-mal ineinander geschachtelt (DataHub:Indicator:MaxFormulaDepth).", $"nested more than {limits.Depth} deep (DataHub:Indicator:MaxFormulaDepth)."));
        }
    }

    private string Quoted()
    {
        var begin = _at++;
        var end = text.IndexOf('"', _at);
        if (end < 0) throw At(begin, new("Das Anführungszeichen wird nicht geschlossen.", "The quote is not closed."));
        var id = text[_at..end];
        _at = end + 1;
        return CatalogIds.IsValid(id)
            ? id
            : throw At(begin, new(
                $"„{Shortened(id)}“ ist keine Kennung eines Indikators ({CatalogIds.Pattern}).", $"“{Shortened(id)}” is no id of an indicator ({CatalogIds.Pattern})."));
    }

    private string Word()
    {
        var begin = _at;
        while (_at < text.Length && (char.IsLetterOrDigit(text[_at]) || text[_at] == '_')) _at++;
        return text[begin.._at];
    }

    private void Digits()
    {
        while (_at < text.Length && char.IsAsciiDigit(text[_at])) _at++;
    }

    /// <summary>The next character that is no blank; \0 at the end.</summary>
    private char Peek()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at])) _at++;
        return _at < text.Length ? text[_at] : '\0';
    }

    private FormulaException Unexpected(LocalText expected)
    {
        var next = Peek();
        var begin = _at;
        if (next == '\0') return At(begin, new($"Hier endet sie; erwartet wird {expected.De}.", $"It ends here; expected is {expected.In("en")}."));
        var found = char.IsLetterOrDigit(next) ? Shortened(Word()) : next == '"' && text.IndexOf('"', begin + 1) is > 0 and var end ? Shortened(text[begin..(end + 1)]) : next.ToString();
        return At(begin, new($"„{found}“; erwartet wird {expected.De}.", $"“{found}”; expected is {expected.In("en")}."));
    }

    private static FormulaException At(int index, LocalText detail) => new(new($"formula, Zeichen {index + 1}: {detail.De}", $"formula, character {index + 1}: {detail.In("en")}"));

    private static string Shortened(string word) => word.Length > 40 ? word[..40] + "…" : word;
}

/// <summary>A text is no formula.</summary>
internal sealed class FormulaException(LocalText detail) : Exception(detail.In("en"))
{
    public LocalText Detail => detail;
}
