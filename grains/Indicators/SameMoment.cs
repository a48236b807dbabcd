using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>
/// Whether pages of several indicators of one dataset are of one moment. A page holds from the watermark that made its
/// version up to the one to which it is current; pages that hold at a common watermark are all made of the same rows. Pure.
/// </summary>
internal static class SameMoment
{
    /// <summary>The pages with the earliest common watermark as theirs, and current as far as all are; null where they have none in common.</summary>
    public static ValuesPage[]? Of(ValuesPage[] pages)
    {
        if (pages.Length == 0) return pages;
        var first = Read(pages[0].Watermark);
        var (from, to) = ((long[])first.Sequences.Clone(), (long[])Read(pages[0].Current).Sequences.Clone());
        foreach (var page in pages.AsSpan(1))
        {
            var (begin, end) = (Read(page.Watermark), Read(page.Current));
            if (begin.Incarnation != first.Incarnation || begin.Dataset != first.Dataset || begin.Sequences.Length != from.Length) return null;
            for (var i = 0; i < from.Length; i++) (from[i], to[i]) = (Math.Max(from[i], begin.Sequences[i]), Math.Min(to[i], end.Sequences[i]));
        }

        for (var i = 0; i < from.Length; i++)
        {
            if (from[i] > to[i]) return null;
        }

        var (common, current) = (new Watermark(first.Incarnation, first.Dataset, from).ToString(), new Watermark(first.Incarnation, first.Dataset, to).ToString());
        return Array.ConvertAll(pages, page => page with { Watermark = common, Current = current });
    }

    private static Watermark Read(string text) => Watermark.TryParse(text, out var watermark) ? watermark! : throw new FormatException($"not a watermark: {text}");
}
