using System.Globalization;
using System.Text;

using DataHub.Catalog;

namespace DataHub.Indicators;

/// <summary>The address of the page that explains a number.</summary>
internal static class ExplainAddress
{
    public const string Route = "/indicators/{indicator}/explain";

    public static string Path(string indicator) => $"/indicators/{indicator}/explain";

    /// <summary>The page for a number as it stands now.</summary>
    /// <param name="query">Gives the language where the address names it.</param>
    /// <param name="from">Begin of its window.</param>
    /// <param name="area">Its area; null for all together and for rows without one.</param>
    /// <param name="whole">All areas together.</param>
    /// <param name="dimensions">In the order of the definition; null where it has none.</param>
    public static string Of(PageQuery query, IndicatorInfo info, DateTimeOffset from, string? area, bool whole, string?[]? dimensions)
    {
        var spec = info.Definition.Spec;
        var text = new StringBuilder(Path(info.Id)).Append("?from=").Append(AnswerText.Instant(from.UtcTicks));
        text.Add("area", area);
        if (whole && spec.ByArea) text.Append("&whole=true");
        for (var i = 0; i < spec.Dimensions.Length; i++) text.Add(CellParameters.Prefix + Uri.EscapeDataString(spec.Dimensions[i]), dimensions?[i] ?? "");
        return text.Add("lang", query.LanguageChosen ? query.Language : null).ToString();
    }

    public static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
