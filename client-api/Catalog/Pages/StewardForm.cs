using DataHub.Indicators;

using Microsoft.AspNetCore.Http;

namespace DataHub.Catalog;

/// <summary>A form that is filled in and sent, without JavaScript. Immutable.</summary>
/// <param name="Id">For links within the page.</param>
/// <param name="Heading">What it does; null: it stands open without one, else it is opened by a click on this.</param>
/// <param name="Action">Path that it is sent to.</param>
/// <param name="Button">Text of the button; without one of <see cref="Choices"/>.</param>
/// <param name="Hidden">What is sent beside the fields.</param>
public sealed record StewardForm(string Id, string? Heading, string Action, string Button, (string Name, string Value)[] Hidden, StewardField[] Fields)
{
    /// <summary>Several buttons, one for each value, in place of one: name, value and text.</summary>
    public (string Name, string Value, string Text)[] Choices { get; init; } = [];

    /// <summary>What is to be known before it is sent; null: nothing.</summary>
    public string? Note { get; init; }

    /// <summary>Why it was refused; null: it was not.</summary>
    public string? Fault { get; init; }

    /// <summary>Fields one after the other that stand under the same heading.</summary>
    public IEnumerable<(string? Group, StewardField[] Fields)> Groups
    {
        get
        {
            for (var (from, to) = (0, 1); from < Fields.Length; to++)
            {
                if (to < Fields.Length && Fields[to].Group == Fields[from].Group) continue;
                yield return (Fields[from].Group, Fields[from..to]);
                from = to;
            }
        }
    }

    /// <summary>The form as it was filled in, with why it was refused; as it stands where it was another one.</summary>
    internal StewardForm With(StewardEntry? entry) => entry?.Form != Id ? this : this with
    {
        Fault = entry.Fault,
        // A secret is typed anew.
        Fields = entry.Values is not { } values ? Fields : [.. Fields.Select(field => field.Kind == StewardFieldKind.Secret ? field : field with { Value = values[field.Name].ToString(), Fault = entry.Faults.GetValueOrDefault(field.Name) })],
    };
}

/// <summary>One field of a form.</summary>
/// <param name="Label">For people.</param>
public sealed record StewardField(string Name, string Label, StewardFieldKind Kind = StewardFieldKind.Text)
{
    public string? Value { get; init; }

    public bool Required { get; init; }

    public int MaxLength { get; init; } = 300;

    /// <summary>Of a choice: values and texts. Of a text: what is proposed.</summary>
    public (string Value, string Text)[] Options { get; init; } = [];

    /// <summary>What may stand there; null: the label says it.</summary>
    public string? Hint { get; init; }

    /// <summary>Heading that it stands under; null: none.</summary>
    public string? Group { get; init; }

    /// <summary>Why what was entered was refused; null: it was not.</summary>
    public string? Fault { get; init; }
}

/// <summary>How a field is filled in.</summary>
public enum StewardFieldKind
{
    Text = 0,

    /// <summary>Not shown, not kept.</summary>
    Secret = 1,

    /// <summary>A day.</summary>
    Day = 2,

    /// <summary>One of the options.</summary>
    Choice = 3,

    /// <summary>Several lines of text.</summary>
    Lines = 4,

    /// <summary>A day and a time of it.</summary>
    Instant = 5,
}

/// <summary>What was entered in a form and refused.</summary>
/// <param name="Form">Its id.</param>
/// <param name="Values">What was entered; null: nothing of it is kept.</param>
/// <param name="Fault">Why.</param>
/// <param name="Status">Of the answer.</param>
internal sealed record StewardEntry(string Form, IFormCollection? Values, string Fault, int Status)
{
    /// <summary>Why single fields were refused, by their names.</summary>
    public IReadOnlyDictionary<string, string> Faults { get; init; } = new Dictionary<string, string>();
}
