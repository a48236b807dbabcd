using System.Globalization;
using System.Text;

using DataHub.Catalog;

using Microsoft.AspNetCore.Http;

namespace DataHub.Indicators;

/// <summary>In which order the table stands.</summary>
public enum RowOrder
{
    /// <summary>As the public interface answers: by area's id.</summary>
    Area = 0,
    Name = 1,

    /// <summary>Greatest first.</summary>
    Value = 2,
}

/// <summary>What the address of the front page asks for. Every link of the page is made of it.</summary>
/// <param name="Language"><c>de</c> or <c>en</c>.</param>
/// <param name="LanguageChosen">Whether the address names the language; then every link does.</param>
/// <param name="Indicator">Id of the chosen indicator; null: the first.</param>
/// <param name="Level">Level of the map; null: the coarsest.</param>
/// <param name="Area">Id of the chosen area; null: the whole city.</param>
/// <param name="Dimensions">The chosen combination of dimensions as a JSON array; null: the first.</param>
/// <param name="Order">Order of the table.</param>
/// <param name="After">Overview of indicators after this id.</param>
public sealed record PageQuery(
    string Language,
    bool LanguageChosen,
    string? Indicator,
    int? Level,
    string? Area,
    string? Dimensions,
    RowOrder Order,
    string? After)
{
    private const int MaxText = 400;

    /// <summary>Reads the address; a value that cannot be is as if it were absent.</summary>
    public static PageQuery Of(HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        var query = http.Request.Query;
        var language = Text("lang");
        var chosen = language is DataHub.Language.German or DataHub.Language.English;
        return new(
            chosen ? language! : DataHub.Language.Of(http),
            chosen,
            Text("indicator"),
            int.TryParse(Text("level"), NumberStyles.None, CultureInfo.InvariantCulture, out var level) && level <= 100 ? level : null,
            Text("area"),
            Text("d"),
            Text("sort") switch { "name" => RowOrder.Name, "value" => RowOrder.Value, _ => RowOrder.Area },
            Text("after"));

        string? Text(string name) => query.TryGetValue(name, out var values) && values[0] is { Length: > 0 and <= MaxText } text ? text : null;
    }

    /// <summary>The address of this view on the front page.</summary>
    public string Href()
    {
        var text = new StringBuilder("/");
        Add("indicator", Indicator);
        Add("level", Level?.ToString(CultureInfo.InvariantCulture));
        Add("area", Area);
        Add("d", Dimensions);
        Add("sort", Order switch { RowOrder.Name => "name", RowOrder.Value => "value", _ => null });
        Add("after", After);
        Add("lang", LanguageChosen ? Language : null);
        return text.ToString();

        void Add(string name, string? value)
        {
            if (value is not null) text.Append(text.Length == 1 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }
    }

    /// <summary>The same view in the other language.</summary>
    public string HrefIn(string language) => (this with { Language = language, LanguageChosen = true }).Href();

    /// <summary>Another indicator at the same level and area.</summary>
    public string HrefOf(string indicator) => (this with { Indicator = indicator, Dimensions = null }).Href();
}
