using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>A filter cannot be read, or does not fit the fields it speaks of.</summary>
internal sealed class FilterException : FormatException
{
    public FilterException(LocalText detail)
        : base(detail.In("en")) => Detail = detail;

    /// <param name="position">The character at which it was noticed, counted from 1.</param>
    public FilterException(int position, string de, string en)
        : this(new($"Zeichen {position}: {de}", $"character {position}: {en}"))
    {
    }

    /// <summary>Where, what was found and what is expected.</summary>
    public LocalText Detail { get; }
}
