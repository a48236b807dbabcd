using System.Globalization;
using System.Text;

namespace DataHub.Indicators;

internal enum FilterTokenKind
{
    End = 0,

    /// <summary>A bare name or a word of the language.</summary>
    Word = 1,

    /// <summary>A name in double quotes.</summary>
    Quoted = 2,

    /// <summary>A text in single quotes.</summary>
    Text = 3,

    /// <summary>Without a sign.</summary>
    Number = 4,
    Symbol = 5,
}

/// <param name="Text">Without quotes and escapes.</param>
/// <param name="Written">As it stands.</param>
/// <param name="Position">Of its first character, counted from 1.</param>
internal readonly record struct FilterToken(FilterTokenKind Kind, string Text, string Written, int Position)
{
    private const int MaxShown = 40;

    private static readonly HashSet<string> s_reserved = new(StringComparer.OrdinalIgnoreCase) { "AND", "OR", "NOT", "IS", "NULL", "IN", "BETWEEN", "LIKE", "TRUE", "FALSE" };

    /// <summary>A field with such a name is written in double quotes.</summary>
    public bool IsReserved => Kind == FilterTokenKind.Word && s_reserved.Contains(Text);

    /// <summary>For messages.</summary>
    public string Shown => Written.Length <= MaxShown ? Written : Written[..MaxShown] + "…";

    public bool Is(string word) => Kind == FilterTokenKind.Word && string.Equals(Text, word, StringComparison.OrdinalIgnoreCase);

    public bool Is(char symbol) => Kind == FilterTokenKind.Symbol && Text.Length == 1 && Text[0] == symbol;
}

/// <summary>The words, names, values and signs of a filter, one after the other.</summary>
internal sealed class FilterTokens
{
    private readonly string _text;
    private int _at;

    public FilterTokens(string text)
    {
        _text = text;
        Next();
    }

    public FilterToken Current { get; private set; }

    /// <exception cref="FilterException">What follows is no token.</exception>
    public void Next()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at])) _at++;
        var start = _at;
        if (start == _text.Length)
        {
            Current = new(FilterTokenKind.End, "", "", start + 1);
            return;
        }

        var c = _text[start];
        var (kind, text) = c switch
        {
            '\'' => (FilterTokenKind.Text, QuotedText()),
            '"' => (FilterTokenKind.Quoted, QuotedName()),
            _ when char.IsAsciiDigit(c) || (c == '.' && start + 1 < _text.Length && char.IsAsciiDigit(_text[start + 1])) => (FilterTokenKind.Number, Number()),
            _ when StartsName(c) => (FilterTokenKind.Word, Word()),
            _ => (FilterTokenKind.Symbol, Symbol()),
        };
        Current = new(kind, text, _text[start.._at], start + 1);
    }

    /// <summary>Whether a field's name can be written without quotes.</summary>
    public static bool IsName(string name) =>
        name.Length > 0 && StartsName(name[0]) && name.All(ContinuesName) && !new FilterToken(FilterTokenKind.Word, name, name, 1).IsReserved;

    private string QuotedText()
    {
        var start = _at++;
        var text = new StringBuilder();
        while (_at < _text.Length)
        {
            var c = _text[_at++];
            var followed = _at < _text.Length && _text[_at] == '\'';
            if (c == '\'' && !followed) return text.ToString();

            // A quote is written twice or after \ (OGC 21-065r2, escapeQuote); any other \ is itself. After \\ a quote ends the
            // text: the standard leaves that open, and a pattern of LIKE may end so.
            if (c is '\'' or '\\' && followed)
            {
                text.Append('\'');
                _at++;
            }
            else if (c == '\\' && _at < _text.Length && _text[_at] == '\\')
            {
                text.Append(c).Append(c);
                _at++;
            }
            else
            {
                text.Append(c);
            }
        }

        throw new FilterException(start + 1,
            "der Text wird nicht beendet; erwartet wird noch ein ' ('' und \\' stehen für das Zeichen selbst).",
            "the text does not end; another ' is expected ('' and \\' stand for the character itself).");
    }

    private string QuotedName()
    {
        var start = _at++;
        var name = new StringBuilder();
        while (_at < _text.Length)
        {
            var c = _text[_at++];
            if (c == '"')
            {
                if (_at >= _text.Length || _text[_at] != '"') return name.ToString();
                _at++;
            }

            name.Append(c);
        }

        throw new FilterException(start + 1, "der Feldname wird nicht beendet; erwartet wird noch ein \".", "the field's name does not end; another \" is expected.");
    }

    private string Number()
    {
        var start = _at;
        Digits();
        if (_at < _text.Length && _text[_at] == '.')
        {
            _at++;
            Digits();
        }

        if (_at < _text.Length && _text[_at] is 'e' or 'E')
        {
            _at++;
            if (_at < _text.Length && _text[_at] is '+' or '-') _at++;
            var exponent = _at;
            Digits();
            if (exponent == _at) throw Wrong();
        }

        if (_at < _text.Length && (ContinuesName(_text[_at]) || StartsName(_text[_at]))) throw Wrong();
        return _text[start.._at];

        void Digits()
        {
            while (_at < _text.Length && char.IsAsciiDigit(_text[_at])) _at++;
        }

        FilterException Wrong()
        {
            while (_at < _text.Length && ContinuesName(_text[_at])) _at++;
            var written = _text[start.._at];
            return new(start + 1,
                $"{written} ist keine Zahl; ein Feld, dessen Name mit einer Ziffer beginnt, steht in doppelten Anführungszeichen: \"{written}\".",
                $"{written} is no number; a field whose name begins with a digit is written in double quotes: \"{written}\".");
        }
    }

    private string Word()
    {
        var start = _at++;
        while (_at < _text.Length && ContinuesName(_text[_at])) _at++;
        return _text[start.._at];
    }

    private string Symbol()
    {
        var start = _at;
        var two = start + 1 < _text.Length ? _text.AsSpan(start, 2) : default;
        switch (two)
        {
            case "<>" or "<=" or ">=":
                _at += 2;
                return two.ToString();
            case "!=" or "==" or "&&" or "||":
                var instead = two switch { "!=" => "<>", "==" => "=", "&&" => "AND", _ => "OR" };
                throw new FilterException(start + 1, $"gefunden {two}, erwartet wird {instead}.", $"found {two}, expected is {instead}.");
            default:
                break;
        }

        var c = _text[start];
        if (c is '=' or '<' or '>' or '(' or ')' or ',' or '-' or '+')
        {
            _at++;
            return c.ToString();
        }

        if (c is '*' or '/' or '%' or '^')
            throw new FilterException(start + 1, $"gefunden {c}; gerechnet wird in Filtern nicht.", $"found {c}; filters do not calculate.");
        if (c is '‘' or '’' or '‚' or '“' or '”' or '„' or '«' or '»' or '`' or '´')
        {
            throw new FilterException(start + 1,
                $"gefunden {c}; Texte stehen in geraden einfachen Anführungszeichen: 'Text'.", $"found {c}; texts are written in straight single quotes: 'text'.");
        }

        var shown = Rune.TryGetRuneAt(_text, start, out var rune) && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format)
            ? rune.ToString()
            : string.Create(CultureInfo.InvariantCulture, $"U+{(int)c:X4}");
        throw new FilterException(start + 1, $"das Zeichen {shown} gehört in keinen Filter.", $"the character {shown} belongs in no filter.");
    }

    private static bool StartsName(char c) => char.IsLetter(c) || c is '_' or ':' || char.IsSurrogate(c);

    private static bool ContinuesName(char c) =>
        StartsName(c) || c == '.' || char.IsDigit(c) || char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.ConnectorPunctuation;
}
