using System.Runtime.InteropServices;

namespace DataHub.Pipelines;

/// <summary>
/// Addresses and their areas in memory: each word once, each address as numbers of its words, so that a million take some
/// hundred megabytes at most, and none is looked for longer than another.
/// </summary>
internal sealed class AddressRegister
{
    // Of postcodes: none is said. Of areas: in none of the level, and in several.
    private const int Any = -1, Nowhere = -1, Several = -2;

    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<string> _words = [];

    /// <summary>Each address without its postcode, and with it where it has one.</summary>
    private readonly Dictionary<(int Street, int Number, int Postcode), int> _areas = [];

    /// <summary>Rows of the register so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Rows of it that have no address.</summary>
    public long Unusable { get; private set; }

    /// <summary>Rows of it that lie in no area of the level.</summary>
    public long Outside { get; private set; }

    /// <summary>Different streets with their numbers.</summary>
    public int Count { get; private set; }

    /// <summary>Takes a row of the register.</summary>
    /// <param name="area">In which it is; null: in none of the level.</param>
    public void Add(string? street, string? number, string? suffix, string? postcode, string? area)
    {
        Rows++;
        if (string.IsNullOrWhiteSpace(street) || AddressRules.Street(street) is not { } named || AddressRules.Number(number, suffix) is not { } house)
        {
            Unusable++;
            return;
        }

        if (area is null) Outside++;
        var (way, at, there) = (Word(named), Word(house), area is null ? Nowhere : Word(area));
        if (Put((way, at, Any), there)) Count++;
        if (postcode is not null && AddressRules.Postcode(postcode) is { } code) Put((way, at, Word(code)), there);
    }

    /// <summary>Where an address is.</summary>
    /// <param name="street">As it is written, and not empty.</param>
    /// <param name="postcode">As it is written; null or empty: it is not said.</param>
    public AddressFound Find(string street, string? number, string? suffix, string? postcode)
    {
        if (AddressRules.Street(street) is not { } named || !_numbers.TryGetValue(named, out var way) || AddressRules.Number(number, suffix) is not { } house) return AddressFound.Unknown;
        var code = Any;
        if (!string.IsNullOrWhiteSpace(postcode) && (AddressRules.Postcode(postcode) is not { } said || !_numbers.TryGetValue(said, out code))) return AddressFound.Unknown;
        var found = At(way, house, code);
        if (found.Kind != AddressKind.Unknown || AddressRules.Ends(house) is not var (first, last)) return found;
        var (a, b) = (At(way, first, code), At(way, last, code));
        return a.Kind == AddressKind.Unknown ? b : b.Kind == AddressKind.Unknown || a == b ? a : AddressFound.Ambiguous;
    }

    private AddressFound At(int street, string number, int postcode) =>
        !_numbers.TryGetValue(number, out var house) || !_areas.TryGetValue((street, house, postcode), out var area) ? AddressFound.Unknown
        : area == Several ? AddressFound.Ambiguous
        : new(AddressKind.Found, area == Nowhere ? null : _words[area]);

    /// <returns>Whether it is new.</returns>
    private bool Put((int, int, int) address, int area)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_areas, address, out var isKnown);
        known = !isKnown || known == area ? area : Several;
        return !isKnown;
    }

    private int Word(string word)
    {
        ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(_numbers, word, out var isKnown);
        if (isKnown) return number;
        _words.Add(word);
        return number = _words.Count - 1;
    }
}

/// <param name="Area">Null where it is not one, or lies in none of the level.</param>
internal readonly record struct AddressFound(AddressKind Kind, string? Area)
{
    public static readonly AddressFound Unknown = new(AddressKind.Unknown, null), Ambiguous = new(AddressKind.Ambiguous, null);
}

internal enum AddressKind
{
    /// <summary>The register has it.</summary>
    Found = 0,

    /// <summary>The register does not have it.</summary>
    Unknown,

    /// <summary>The register has it in several areas.</summary>
    Ambiguous,
}
