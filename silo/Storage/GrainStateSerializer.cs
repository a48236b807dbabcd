using DataHub.Feeds;

using MessagePack;
using MessagePack.Resolvers;

using Orleans.Storage;

namespace DataHub.Storage;

/// <summary>
/// Grains' state at rest: the envelope that the log has too (<c>DS</c>, format version, flags, compressed where that
/// pays) around MessagePack by the <c>[Id]</c>s that the types have on the wire (<see cref="IdResolver"/>).
/// </summary>
/// <remarks>Every version ever written can be read for good; each has golden files in the tests.</remarks>
internal sealed class GrainStateSerializer : IGrainStorageSerializer
{
    /// <summary>The version that is written.</summary>
    public const byte FormatVersion = 1;

    private const byte StateMagic = (byte)'S';

    private static readonly MessagePackSerializerOptions Options = MessagePackSerializerOptions.Standard.WithResolver(
        CompositeResolver.Create(IdResolver.Instance, BuiltinResolver.Instance, MessagePack.ImmutableCollection.ImmutableCollectionResolver.Instance, DynamicGenericResolver.Instance));

    /// <exception cref="NotSupportedException">The type, or one in it, has no ids or is of a kind that is not stored; the message names it.</exception>
    public BinaryData Serialize<T>(T? input)
    {
        try
        {
            return new(PackedEnvelope.Seal(StateMagic, FormatVersion, input, static (ref writer, state) => MessagePackSerializer.Serialize(ref writer, state, Options)));
        }
        catch (MessagePackSerializationException e)
        {
            throw new NotSupportedException($"The state {typeof(T)} cannot be stored: {Innermost(e).Message}", e);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer program.</exception>
    public T Deserialize<T>(BinaryData input)
    {
        ArgumentNullException.ThrowIfNull(input);
        try
        {
            var reader = new MessagePackReader(PackedEnvelope.Open(StateMagic, FormatVersion, input.ToMemory()));
            return MessagePackSerializer.Deserialize<T>(ref reader, Options);
        }
        catch (Exception e) when (PackedEnvelope.IsDamage(e))
        {
            throw new InvalidDataException(
                $"Ein gespeicherter Zustand ({typeof(T).Name}) ist nicht lesbar. A stored state ({typeof(T).Name}) cannot be read: {Innermost(e).Message}", e);
        }
    }

    private static Exception Innermost(Exception e) => e.InnerException is null ? e : Innermost(e.InnerException);
}
